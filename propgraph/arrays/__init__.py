"""Flat arrays that every kernel reads: ids as codes, shares by object, objects by account, p-values made one."""
