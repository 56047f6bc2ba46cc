"""What changed since an older manifest, and why we say so: prior (the older manifest), fingerprint, diff."""
