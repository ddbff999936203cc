"""Text in, text out: the scalar expression language and the rendering of kernel templates.  Knows no device."""
