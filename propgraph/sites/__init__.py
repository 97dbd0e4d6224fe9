"""Registrable domains measured: who shares them, and who shares them first."""
