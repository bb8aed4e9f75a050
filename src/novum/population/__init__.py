"""Many small networks trained as one: a member axis in every tensor, one flat leaf of parameters, streams per seed."""
