"""A filter graph of FFmpeg between any decoder and NLVC's encoder: python filter_and_encode.py in.mkv"""

import sys

import av
import av.filter

import pynlvc

encoder: pynlvc.Encoder | None = None
graph: av.filter.Graph | None = None
packets: list[av.Packet] = []


def take(frame: av.VideoFrame) -> None:
    """Codes a frame that came out of the graph."""
    global encoder
    if encoder is None:
        settings = pynlvc.EncoderSettings(model="fast")
        encoder = pynlvc.Encoder(
            frame.width, frame.height, frame.format.name, time_base=frame.time_base, settings=settings, like=frame
        )
    packets.extend(encoder.encode(frame))


with pynlvc.open(sys.argv[1]) as video:  # NLVC or anything that FFmpeg decodes
    for frame in video:
        if graph is None:
            graph = av.filter.Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
            )
            graph.link_nodes(source, graph.add("hflip"), graph.add("crop", "iw/2:ih/2"), graph.add("buffersink"))
            graph.configure()
        graph.push(frame)
        take(graph.vpull())

assert encoder is not None
decoder = pynlvc.Decoder(encoder.extradata)
shapes = {(frame.width, frame.height) for packet in packets for frame in decoder.decode(packet)}
print(f"{len(packets)} frames of {shapes} in {sum(packet.size for packet in packets)} bytes")
