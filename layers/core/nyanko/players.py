"""Who plays: a Web3Auth identity and the Join&make user it maps to."""

from dataclasses import dataclass

PROFILE_MAX_AGE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Player:
    """A player and what Join&make said about them at `profile_read_at` (epoch seconds UTC).

    `player_id` is what Web3Auth's token vouches for and what Join&make calls the subject. The mapping to
    `joinmake_user_id` never changes; the rest of the profile may. `birth_month` is `YYYY-MM` as the player
    stated it, None if they did not.
    """

    player_id: str
    joinmake_user_id: str
    display_name: str | None
    birth_month: str | None
    profile_read_at: int

    def profile_is_old(self, now: int) -> bool:
        return now - self.profile_read_at >= PROFILE_MAX_AGE_SECONDS
