"""The optional antivirus, ClamAV: asked when a file arrives, and again for what waits or is kept.

settings.CLAMD says where its daemon listens; empty, there is none and the pieces are
« non analysé ».
"""
