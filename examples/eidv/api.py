"""How does the made-up identity-verification service answer? A small HTTP API with every kind of paging and log-in.

Run `python -m examples.eidv.api PORT`. Rows follow from their date alone (a fixed seed), so every run gives the same.
"""

from __future__ import annotations

import base64
import json
import random
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from faker import Faker

PAGE = 200
CLIENT_SECRET, API_KEY, TOKEN, PASSWORD = "made-up-secret", "made-up-key", "made-up-token", "made-up-password"
COUNTRIES = ("GB", "IE", "FR", "DE", "ES", "NL")

Rows = list[dict[str, object]]


class Refused(Exception):
    """The caller did not log in as this endpoint wants it."""


def _of_the_day(day: str, what: str) -> tuple[random.Random, Faker]:
    fake = Faker("en_GB")
    fake.seed_instance(f"{what} {day}")
    return random.Random(f"{what} {day}"), fake


@lru_cache(maxsize=64)
def verifications(day: str) -> Rows:
    """Some hundred verifications of one day."""
    chance, fake = _of_the_day(day, "verifications")
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC)
    rows: Rows = []
    for number in range(1, chance.randint(900, 1200)):
        outcome = chance.choices(("verified", "refused", "referred"), (85, 10, 5))[0]
        low, high = (6000, 10000) if outcome == "verified" else (0, 6500)
        rows.append(
            {
                "verification_id": f"V-{day.replace('-', '')}-{number:05d}",
                "applicant": fake.name(),
                "country": chance.choice(COUNTRIES),
                "document": chance.choice(("passport", "driving_licence", "identity_card")),
                "outcome": outcome,
                "score": str(Decimal(chance.randint(low, high)) / 100),
                "fee": str(Decimal(chance.choice((95, 120, 150))) / 100),
                "completed_at": (midnight + timedelta(seconds=chance.randint(0, 86399))).isoformat(),
            }
        )
    return rows


@lru_cache(maxsize=64)
def disputes(day: str) -> Rows:
    """A handful of disputes, with the reason that only the detail call tells."""
    chance, fake = _of_the_day(day, "disputes")
    return [
        {
            "dispute_id": f"D-{day.replace('-', '')}-{number:03d}",
            "verification_id": f"V-{day.replace('-', '')}-{chance.randint(1, 800):05d}",
            "full_name": fake.name(),
            "born": fake.date_of_birth(minimum_age=18, maximum_age=90).isoformat(),
            "reason": chance.choice(("not me", "wrong address", "document returned, refused twice")),
        }
        for number in range(1, 46)
    ]


@lru_cache(maxsize=64)
def screening(day: str) -> Rows:
    """Screenings of one day, with two faults: an id that is there twice, and a result nobody agreed on."""
    chance, fake = _of_the_day(day, "screening")
    rows: Rows = [
        {
            "screening_id": f"S-{day.replace('-', '')}{number:02d}",
            "full_name": fake.name()[:40],
            "list": chance.choice(("UK", "EU", "OFAC")),
            "result": chance.choices(("clear", "hit", "review"), (95, 1, 4))[0],
            "score": str(Decimal(chance.randint(0, 10000)) / 100),
        }
        for number in range(1, 99)
    ]
    rows[40] = {**rows[40], "screening_id": rows[12]["screening_id"]}
    rows[77] = {**rows[77], "result": "maybe"}
    return rows


@lru_cache(maxsize=64)
def billing(month: str) -> Rows:
    """One line a day, client and product."""
    chance, _ = _of_the_day(month, "billing")
    day = date.fromisoformat(f"{month}-01")
    rows: Rows = []
    while day.strftime("%Y-%m") == month:
        for client in ("EDBH", "NORTHBANK", "HARBOUR"):
            for product in ("document", "selfie", "address"):
                checks = chance.randint(0, 900)
                amount = f"{Decimal(checks) * Decimal('1.20'):.2f}"
                rows.append(
                    {
                        "client": client,
                        "product": product,
                        "day": day.isoformat(),
                        "checks": checks,
                        "amount": amount,
                    }
                )
        day += timedelta(days=1)
    return rows


@lru_cache(maxsize=256)
def outcomes(until: str) -> Rows:
    """Counts of one hour; in the small hours (1 to 3 UTC) nobody verifies anything."""
    hour = datetime.fromisoformat(until).hour
    chance, _ = _of_the_day(until, "outcomes")
    if hour in (1, 2, 3):
        return []
    return [
        {"outcome": outcome, "country": country, "verifications": chance.randint(1, 60)}
        for outcome in ("verified", "refused", "referred")
        for country in COUNTRIES
    ]


class Api(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Give a token for client credentials."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = self.headers.get("Authorization", "")
        known = form.get("client_secret") == [CLIENT_SECRET] or basic == _basic("landbridge", CLIENT_SECRET)
        if urlsplit(self.path).path != "/oauth/token" or not known:
            self._answer(401, {"error": "invalid_client"})
            return
        self._answer(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 600})

    def do_GET(self) -> None:
        """Give one page of rows."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            self._page(parts.path, asked)
        except Refused:
            self._answer(401, {"error": "log in first"})

    def _page(self, path: str, asked: dict[str, str]) -> None:
        match path.strip("/").split("/"):
            case ["ready"]:
                self._answer(200, {"closed": True})
            case ["verifications"]:
                self._expect(f"Bearer {TOKEN}")
                self._cursor(verifications(asked["date"]), asked)
            case ["disputes"]:
                self._expect(f"Bearer {TOKEN}")
                self._next_url(disputes(asked["date"]), asked)
            case ["disputes", dispute]:
                self._expect(f"Bearer {TOKEN}")
                day = f"{dispute[2:6]}-{dispute[6:8]}-{dispute[8:10]}"
                found = next(row for row in disputes(day) if row["dispute_id"] == dispute)
                self._answer(200, {"dispute": found})
            case ["billing"]:
                self._expect(f"Bearer {TOKEN}")
                rows, start = billing(asked["month"]), int(asked.get("offset", "0"))
                self._answer(200, {"lines": rows[start : start + int(asked["limit"])], "total": len(rows)})
            case ["outcomes"]:
                if self.headers.get("X-API-Key") != API_KEY:
                    raise Refused
                rows, page = outcomes(asked["until"]), int(asked.get("page", "1"))
                self._answer(
                    200, {"outcomes": rows[(page - 1) * 10 : page * 10], "pages": max(1, -(-len(rows) // 10))}
                )
            case ["screening"]:
                self._expect(_basic("landbridge", PASSWORD))
                self._link_header(screening(asked["date"]), asked)
            case _:
                self._answer(404, {"error": "no such path"})

    def _expect(self, authorization: str) -> None:
        if self.headers.get("Authorization") != authorization:
            raise Refused

    def _cursor(self, rows: Rows, asked: dict[str, str]) -> None:
        start = int(asked.get("cursor", "0"))
        following = str(start + PAGE) if start + PAGE < len(rows) else None
        self._answer(200, {"data": rows[start : start + PAGE], "page": {"next": following}})

    def _next_url(self, rows: Rows, asked: dict[str, str]) -> None:
        start = int(asked.get("from", "0"))
        body = {
            "items": [{k: v for k, v in row.items() if k != "reason"} for row in rows[start : start + 20]]
        }
        following = self._url({**asked, "from": str(start + 20)}) if start + 20 < len(rows) else None
        self._answer(200, {**body, "links": {"next": following}})

    def _link_header(self, rows: Rows, asked: dict[str, str]) -> None:
        start = int(asked.get("from", "0"))
        more = start + 50 < len(rows)
        link = f'<{self._url({**asked, "from": str(start + 50)})}>; rel="next"' if more else ""
        self._answer(200, {"data": rows[start : start + 50]}, link)

    def _url(self, asked: dict[str, str]) -> str:
        return f"http://{self.headers['Host']}{urlsplit(self.path).path}?{urlencode(asked)}"

    def _answer(self, status: int, body: object, link: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet: the demo's screen is for Landbridge."""


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def environment(port: int) -> dict[str, str]:
    """Give the variables that the example's declaration refers to."""
    base = f"http://127.0.0.1:{port}"
    return {
        "EIDV_API_URL": base,
        "EIDV_READY_URL": f"{base}/ready",
        "EIDV_TOKEN_URL": f"{base}/oauth/token",
        "EIDV_CLIENT_SECRET": CLIENT_SECRET,
        "EIDV_API_KEY": API_KEY,
        "EIDV_TOKEN": TOKEN,
        "EIDV_PASSWORD": PASSWORD,
        "EIDV_ARCHIVE": "archive/{environment}",
    }


def main() -> None:
    """Serve on 127.0.0.1; port 0 takes a free one. The first line of output is the port."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Api)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
