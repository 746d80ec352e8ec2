"""A learning tool and a course that launches it, side by side: ``make lti-demo``.

The tool (`tool`) is a Quart application: it verifies launches of LTI 1.1, keeps sessions that work in a frame, and
sends grades. The course (`consumer`) is a small platform with a gradebook, to launch the tool from.
"""
