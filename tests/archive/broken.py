"""The broken and hostile files of the real data, and what the manifest expects of each."""

import csv
from pathlib import Path

# One a line, so that a file that comes or goes is seen in a review.
BROKEN = (
    "m_bad_dates.dcm",
    "m_bogus_name_length.dcm",
    "m_bogus_pixel_length.dcm",
    "m_duplicate_sop_a.dcm",
    "m_duplicate_sop_b.dcm",
    "m_empty_file.dcm",
    "m_empty_sop_uid.dcm",
    "m_html.dcm",
    "m_huge_dimensions.dcm",
    "m_j2k_noise.dcm",
    "m_many_private_tags.dcm",
    "m_markup_in_names.dcm",
    "m_meta_uid_mismatch.dcm",
    "m_missing_study_uid.dcm",
    "m_nested_sequences.dcm",
    "m_not_dicom.dcm",
    "m_only_preamble.dcm",
    "m_overlong_values.dcm",
    "m_preamble_mz.dcm",
    "m_rle_bad_header.dcm",
    "m_truncated_half_pixels.dcm",
    "m_uid_path_traversal.dcm",
    "m_undeclared_gbk.dcm",
    "m_unknown_charset_term.dcm",
    "m_unknown_syntax.dcm",
    "m_wrong_charset.dcm",
    "real_2026-05-26-oob-monochrome-65535.dcm",
    "real_3gb-bulk-data-truncated.dcm",
    "real_GH340.dcm",
    "real_MR_truncated.dcm",
    "real_UN_sequence.dcm",
    "real_badVR.dcm",
    "real_bad_sequence.dcm",
    "real_deeply_nested.zip",
    "real_emri_small_jpeg_2k_lossless_too_short.dcm",
    "real_meta_missing_tsyntax.dcm",
    "real_nested_priv_SQ.dcm",
    "real_no_meta.dcm",
    "real_rtplan_truncated.dcm",
    "z_bomb_nested.zip",
    "z_mixed_clutter.zip",
    "z_slip.zip",
    "z_symlink.zip",
    "z_truncated.zip",
)


def expectation(real_data: Path, name: str) -> tuple[str, str]:
    """What the manifest expects of a broken file, and what it tolerates."""
    with (real_data / "manifest.csv").open(newline="") as manifest:
        row = next(r for r in csv.DictReader(manifest) if r["file"] == f"broken/{name}")
    return row["expected"], row["tolerated"]


def answers_as_expected(real_data: Path, name: str, taken: int) -> bool:
    """Whether the number of stored instances is the manifest's answer, or its tolerated one."""
    expected, tolerated = expectation(real_data, name)
    other = tolerated.split(":")[0].split(" ")[0]
    answer = "accept" if taken else "reject"
    return answer in (expected, other)
