"""Tables that leave as PDF, in A4, with page numbers: for the hands of a patient."""

import io
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HAN = "STSong-Light"
_HAN = re.compile("([\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]+)")
_INK, _LINE = colors.HexColor("#1c2b2f"), colors.HexColor("#c9d4d6")
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=15, leading=20, textColor=_INK)
TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=9, leading=12, textColor=_INK)
HEAD = ParagraphStyle("head", parent=TEXT, fontName="Helvetica-Bold")


def table_as_pdf(
    *,
    title: str,
    sentences: Iterable[str],
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[float],
) -> bytes:
    """A title, sentences and a table whose head stands on each page; `widths` in millimetres.

    Latin letters and Han are drawn; letters of other scripts become question marks.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(HAN))
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out, pagesize=A4, title=title, leftMargin=16 * mm, rightMargin=16 * mm,
        topMargin=16 * mm, bottomMargin=18 * mm, invariant=True,
    )  # fmt: skip
    cells = [[_said(word, HEAD) for word in head]]
    cells += [[_said(word, TEXT) for word in row] for row in rows]
    table = Table(cells, colWidths=[width * mm for width in widths], repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
            ]
        )
    )
    above = [_said(title, TITLE), *(_said(each, TEXT) for each in sentences)]
    paper.build([*above, Spacer(1, 5 * mm), table], onFirstPage=_number, onLaterPages=_number)
    return out.getvalue()


def _said(text: str, style: ParagraphStyle) -> Any:
    """A paragraph; what it says is no markup."""
    parts = _HAN.split(text)
    drawn = [
        f'<font name="{HAN}">{part}</font>' if place % 2 else escape(_latin(part))
        for place, part in enumerate(parts)
    ]
    return Paragraph("".join(drawn), style)


def _latin(text: str) -> str:
    return text.encode("cp1252", "replace").decode("cp1252")


def _number(canvas: Any, paper: Any) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawRightString(A4[0] - 16 * mm, 10 * mm, f"Page {canvas.getPageNumber()}")
