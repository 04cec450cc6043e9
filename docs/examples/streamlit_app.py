"""The face mesh over the camera's picture: a Streamlit page with a slider for each thing that can be tuned.

pip install streamlit streamlit-webrtc
streamlit run docs/examples/streamlit_app.py
"""

import threading

import av
import streamlit as st
from streamlit_webrtc import VideoProcessorBase, webrtc_streamer

import animator
from animator.puppets import picture_of
from animator.timing import LatestSlot


class Camera:
    """The browser's camera as a source of frames: only the newest picture is kept."""

    name, live, fps, frame_count, size_px = "browser", True, 30.0, None, (640, 480)

    def __init__(self):
        self.slot = LatestSlot()
        self.close = self.slot.close

    def __iter__(self):
        while True:
            yield self.slot.get()


class Mesh(VideoProcessorBase):
    """Follows the faces on threads of its own; `recv` gives the newest picture that is finished."""

    def __init__(self):
        self.camera, self.newest, self.index = Camera(), None, 0
        self.performance = animator.open_performance(self.camera)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for moment in self.performance:
            self.newest = av.VideoFrame.from_ndarray(picture_of(moment, "mesh"), "rgb24")

    def recv(self, picture):
        self.camera.slot.put(animator.Frame(picture.to_ndarray(format="rgb24"), picture.time, self.index))
        self.index += 1
        return self.newest or picture

    def on_ended(self):
        self.camera.close()
        self.performance.close()


st.title("animator: the face mesh")
faces = st.sidebar.slider("Number of faces", 1, 8, 1)
shares = [st.sidebar.slider(f"{what} confidence", 0.0, 1.0, 0.5) for what in ("Detection", "Tracking")]
page = webrtc_streamer("mesh", video_processor_factory=Mesh, media_stream_constraints={"video": True})
if page.video_processor:
    page.video_processor.performance.reconfigure(animator.Config(animator.TrackingConfig(faces, *shares)))
