"""The frame of the pages: what the policy forbids is in no template, and every icon exists."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from sharing.web import built, icons

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SHEETS = sorted((settings.BASE_DIR / "static" / "css").glob("*.css"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_script_or_style(path: Path):
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:", source)
    for opening in re.findall(r"<script[^>]*>", source):
        assert "src=" in opening or "application/json" in opening


@pytest.mark.parametrize("path", TEMPLATES + SHEETS, ids=lambda path: path.name)
def test_no_template_or_sheet_fetches_from_another_host(path: Path):
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"(src|href|action)=[\"'](https?:)?//|url\([\"']?(https?:)?//", source)


def test_every_icon_that_a_template_names_exists():
    drawings = settings.BASE_DIR / "frontend/node_modules/bootstrap-icons/icons"
    if not drawings.exists():
        pytest.skip("the front end's packages are not installed")
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([^"]+)"', path.read_text(encoding="utf-8"))
    }
    assert named
    assert sorted(name for name in named if not (drawings / f"{name}.svg").exists()) == []


def test_an_unknown_icon_is_an_error_and_no_build_is_none(tmp_path, monkeypatch):
    file = tmp_path / "icons.json"
    file.write_text(json.dumps({"eye": '<path d="M0"/>'}))
    monkeypatch.setattr(icons, "_built_file", lambda: file)
    source = Template('{% load portal %}{% icon "eye" label=words %}')
    shown = source.render(Context({"words": "<Seen>"}))
    assert 'aria-label="&lt;Seen&gt;"' in shown
    assert '<path d="M0"/>' in shown
    with pytest.raises(LookupError):
        icons.svg("no-such-icon")
    monkeypatch.setattr(icons, "_built_file", lambda: None)
    assert icons.svg("eye") == ""


def test_a_built_entry_brings_its_script_styles_and_imports(tmp_path, settings):
    file = tmp_path / "manifest.json"
    file.write_text(
        json.dumps(
            {
                "shell/main.js": {
                    "file": "shell/main-1.js",
                    "css": ["assets/a-1.css"],
                    "imports": ["_c.js"],
                },
                "_c.js": {"file": "chunks/c-1.js"},
            }
        )
    )
    settings.VITE_MANIFEST = file
    shown = built.tags("shell/main.js")
    assert '<script type="module" src="/static/build/shell/main-1.js"></script>' in shown
    assert '<link rel="stylesheet" href="/static/build/assets/a-1.css">' in shown
    assert '<link rel="modulepreload" href="/static/build/chunks/c-1.js">' in shown
    with pytest.raises(LookupError):
        built.tags("shell/absent.js")


def test_before_the_front_end_is_built_pages_have_no_scripts(tmp_path, settings):
    settings.VITE_MANIFEST = tmp_path / "absent.json"
    assert built.tags("shell/main.js") == ""
