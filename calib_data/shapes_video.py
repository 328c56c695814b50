"""A video to calibrate a detector with: the scenes of shapes.py, one after the other.

    python -m calib_data.shapes_video

It is written beside this file, wider than it is high, as cameras see. It is not kept in the
repository: its frames are photographs of others (README.md).
"""

from __future__ import annotations

from pathlib import Path

VIDEO = Path(__file__).with_name("shapes_calib.mp4")
SCENES, EACH, RATE = 64, 4, 8
"""Scenes, frames of each, frames a second."""
WIDTH, HEIGHT = 160, 120


def main(path: Path = VIDEO, scenes: int = SCENES) -> None:
    """Write the video."""
    import av
    import numpy as np
    from PIL import Image

    from calib_data.shapes import shapes

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 2_000_000
        for scene in shapes("calib", scenes, 160):
            picture = Image.fromarray(np.asarray(scene["input"])).crop((0, 20, WIDTH, 20 + HEIGHT))
            for _ in range(EACH):
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
