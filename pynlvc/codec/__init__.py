"""NLVC encoder and decoder that speak PyAV: frames in, packets out, and back."""

from pynlvc.codec.decoder import Decoder
from pynlvc.codec.encoder import Encoder
from pynlvc.codec.settings import DecoderSettings, EncoderSettings

__all__ = ["Decoder", "DecoderSettings", "Encoder", "EncoderSettings"]
