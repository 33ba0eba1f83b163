"""One table of all codecs."""

from tf_imgcomp.codecs.fdram import Fdram, FdramConfig

# Name in flagfiles: class and the dataclass of its sizes.
CODECS = {"fdram": (Fdram, FdramConfig)}
