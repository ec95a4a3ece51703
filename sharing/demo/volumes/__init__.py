"""Bodies drawn from formulas in millimetres (x to the patient's left, y back, z up)."""
