"""Errors in a user's files and settings, each with a message of one line."""


class ImgcompError(Exception):
    """Base of all errors that a user can cause and cure.

    The message is one line. Programs put the name of their input before it; it names
    a file only if that is another one.
    """


class ImageError(ImgcompError):
    """An input is not a readable image, or an image cannot be held or written."""


class BitstreamError(ImgcompError):
    """A `.tfci` file is damaged, foreign, or of a version unknown here."""


class ModelError(ImgcompError):
    """A trained model is unknown, missing, or has other weights than needed."""


class ServerError(ImgcompError):
    """A server is not there, refuses a request or fails, or takes too long."""


class ClassicalCodecError(ImgcompError):
    """A classical codec is missing, fails or is too slow, or its file is no good."""
