"""Typed program → ONNX file, equation by equation."""
