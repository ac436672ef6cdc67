"""The codec for another process: libnlvc asks over a pair of pipes (docs/architecture.md)."""
