//! Tests only: the extension in a real Chromium against a real server. See `tests/extension/`.
