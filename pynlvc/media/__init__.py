"""Files: containers, tracks, whole-file transcoding and checking, built on `pynlvc.codec`."""
