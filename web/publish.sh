#!/usr/bin/env bash
# Puts client and legal pages on the site: web/publish.sh STAGE DISTRIBUTION_ID
# The names carry no version: CloudFront keeps a file until the invalidation below, a browser for five minutes.
# `aws s3 cp` and not `sync`: these buckets hold the game and the landing page too, and the role may not list them.
set -euo pipefail
cd "$(dirname "$0")"

stage=$1
distribution_id=$2

if [[ $stage == prod ]] && grep --quiet data-placeholder legal/*.html; then
  echo "not published: the legal pages have placeholders that nobody has filled in" >&2
  exit 1
fi

put() { # SOURCE DESTINATION CONTENT_TYPE
  aws s3 cp "$1" "$2" --content-type "$3" --cache-control "public, max-age=300, s-maxage=31536000"
}

put client/jm_nyanko.js "s3://$stage-jm-nyanko-frontend/play/client/jm_nyanko.js" "text/javascript; charset=utf-8"
put client/jm_nyanko.mjs "s3://$stage-jm-nyanko-frontend/play/client/jm_nyanko.mjs" "text/javascript; charset=utf-8"
put legal/legal.css "s3://$stage-jm-nyanko-lp/legal/legal.css" "text/css; charset=utf-8"
for page in legal/*.html; do
  put "$page" "s3://$stage-jm-nyanko-lp/$page" "text/html; charset=utf-8"
done

aws cloudfront create-invalidation --distribution-id "$distribution_id" --paths "/play/client/*" "/legal/*"
