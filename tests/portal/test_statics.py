"""Static files: what may be kept for ever, and what a script may do as a worker."""

from wsgiref.headers import Headers

import pytest

from portal.static_headers import add_headers, is_immutable
from portal.statics import HashedStaticFiles


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/static/build/viewer/main-BG_CooN5.js", True),
        ("/static/build/assets/openjphjs-odeu-u12.wasm", True),
        ("/static/css/tokens.0123456789ab.css", True),
        ("/static/css/tokens.css", False),
        ("/static/build/vendor/plex-variable.woff2", False),
        ("/static/build/manifest.json", False),
    ],
)
def test_only_names_with_a_hash_of_their_content_are_kept_for_ever(url: str, kept: bool) -> None:
    assert is_immutable("", url) is kept


def test_a_script_carries_the_policy_that_it_has_as_a_worker() -> None:
    headers = Headers()
    add_headers(headers, "/x/decodeImageFrameWorker-CsHfRKdR.js", "")
    assert "'wasm-unsafe-eval'" in headers["Content-Security-Policy"]
    plain = Headers()
    add_headers(plain, "/x/tokens.css", "")
    assert "Content-Security-Policy" not in plain


def test_what_vite_built_keeps_its_name() -> None:
    """Renaming it would break its import and wasm URLs."""
    storage = HashedStaticFiles()
    assert storage.hashed_name("build/viewer/main-BG_CooN5.js") == "build/viewer/main-BG_CooN5.js"
    assert storage.stored_name("build/chunks/a-12345678.js") == "build/chunks/a-12345678.js"
