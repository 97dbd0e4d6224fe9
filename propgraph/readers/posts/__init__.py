"""Which post a row is, and whose: ids made of rows or cut from addresses, times in ids, originals that no id names."""
