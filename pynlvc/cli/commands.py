"""The list of commands.

A command NAME is the module `pynlvc.cli.NAME`, imported only when it is called, with two functions:
`configure(parser)` adds its arguments, `run(arguments)` does the work and returns the exit code.
"""

COMMANDS: dict[str, str] = {
    "transcode": "code a video file to NLVC, or NLVC back to FFV1, copying everything else",
    "decode": "decode a file to raw video for other programs",
    "verify": "decode a file and check everything, also against its source",
    "compare": "compare two files track by track and frame by frame",
    "info": "show what is known about a file's video track",
    "report": "write a page of HTML that shows where a file's bits go",
    "framemd5": "print the MD5 of every frame as ffmpeg does",
    "fit": "fit a model to a video, for encoders that cannot look ahead",
    "serve": "code for another process over standard input and output",
    "train": "train a probability model on video clips",
    "refine": "learn on from a finished model, with the codec's own encoder",
}
