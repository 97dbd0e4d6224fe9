"""Figures as inline SVG, made from a study's tables; None where the log cannot tell."""
