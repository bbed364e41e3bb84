// Runs in CloudFront before a request of the site is looked up.
function handler(event) {
  var request = event.request;
  if (request.uri === '/play') {
    return { statusCode: 301, statusDescription: 'Moved Permanently', headers: { location: { value: '/play/' } } };
  }
  if (request.uri.endsWith('/')) {
    request.uri += 'index.html';
  }
  return request;
}
