"""What is built on the C ABI of libnlvc: see docs/architecture.md."""
