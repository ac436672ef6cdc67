"""x"""


class TrackInfo:
    pass


def info():
    pass
