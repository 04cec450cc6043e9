"""The page of `animator serve`, as a person uses it."""

from __future__ import annotations

import pytest

SIZES = [(1280, 800), (820, 1180), (390, 844), (844, 390), (640, 400)]  # the last: 1280x800 at 200 % zoom
OUTSIDE = """() => [...document.querySelectorAll('.app *')].filter((node) => {
  if (!node.checkVisibility({visibilityProperty: true}) || node.closest('.spoken')) return false;
  const box = node.getBoundingClientRect();
  return box.width && (box.left < -1 || box.right > innerWidth + 1);
}).map((node) => node.outerHTML.slice(0, 80))"""


def test_the_puppet_plays(visit, mock):
    visitor = visit().perform()
    frames = "document.querySelector('#puppet').getVideoPlaybackQuality().totalVideoFrames"
    before = visitor.page.evaluate(frames)
    visitor.until(f"{frames} > {before + 5}")
    offer = mock.guests[0].offer
    assert (offer["room"], offer["role"], offer["view"], offer["rig"]) == ("studio", "perform", "avatar", "human")
    assert visitor.page.evaluate("document.querySelector('#own').videoWidth") == 640
    assert visitor.page.inner_text("#crowd .spoken") == "1 performer, 2 viewers"
    visitor.until("/fps · \\d+ ms/.test(document.querySelector('#pulse-text').textContent)")


def test_sliders_act_at_once_and_are_throttled(visit, mock):
    visitor = visit().perform()
    guest = mock.guests[0]
    visitor.page.evaluate("""() => {
      const slider = document.querySelector('#smoothing');
      for (let value = 0; value <= 87; value++) {
        slider.value = value;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
      }
    }""")
    visitor.until(lambda: guest.settings["smoothing"] == 87)
    assert len(guest.said("set")) <= 3
    visitor.page.fill("#faces", "3")
    visitor.page.fill("#detection", "12")
    visitor.until(lambda: (guest.settings["faces"], guest.settings["detection"]) == (3, 12))
    assert visitor.page.input_value("#smoothing") == "87"


def test_views_rigs_and_mirror(visit, mock):
    visitor = visit().perform()
    guest = mock.guests[0]
    visitor.page.click("label[for=view-mesh]")
    visitor.page.click("label[for=rig-fox]")
    visitor.page.check("#mirror")
    visitor.until(lambda: [guest.settings[key] for key in ("view", "rig", "mirror")] == ["mesh", "fox", True])
    assert visitor.page.evaluate("getComputedStyle(document.querySelector('#own')).transform").startswith("matrix(-1")
    visitor.page.click("label[for=view-side-by-side]")
    visitor.until("document.querySelector('#puppet').videoWidth === 640")
    assert visitor.page.is_hidden("#own")


def test_a_second_visit_starts_with_the_servers_settings(visit, mock):
    visitor = visit().perform("/r/studio?view=mesh")
    guest = mock.guests[0]
    visitor.until(lambda: guest.said("set"))
    assert guest.said("set") == [{"type": "set", "view": "mesh"}]
    mock.tell({"type": "settings", **guest.settings, "smoothing": 31})
    visitor.until("document.querySelector('#smoothing').value === '31'")


def test_tapping_the_small_picture_swaps(visit, mock):
    visitor = visit().perform()
    visitor.page.click("#swap")
    assert visitor.page.evaluate("document.querySelector('#own').classList.contains('large')")
    visitor.page.click("#swap")
    assert visitor.page.evaluate("document.querySelector('#puppet').classList.contains('large')")


def test_calibration_counts_down(visit, mock):
    visitor = visit().perform()
    visitor.page.click("#calibrate")
    assert visitor.page.inner_text("#count").startswith("3")
    visitor.until(lambda: mock.guests[0].said("calibrate"))
    assert mock.guests[0].said("calibrate") == [{"type": "calibrate", "seconds": 1}]
    visitor.until("document.querySelector('#toast').textContent.startsWith('Calibrated')")
    assert visitor.page.is_hidden("#count")


def test_bars_move_only_while_they_are_open(visit, mock):
    visitor = visit().perform()
    guest = mock.guests[0]
    assert guest.said("want-motion") == []
    visitor.page.click("#channels-fold summary")
    bars = "[...document.querySelectorAll('.bar-track i')]"
    assert visitor.page.evaluate(f"{bars}.length") == 52
    visitor.until(f"{bars}.filter((bar) => bar.style.transform).length > 40")
    visitor.page.click("#channels-fold summary")
    visitor.until(lambda: [message["on"] for message in guest.said("want-motion")] == [True, False])


def test_numbers_mode_is_offered_where_its_bundle_is(visit, mock):
    mock.three = True
    visitor = visit()
    visitor.open().page.click("#watch")
    visitor.until_live()
    visitor.page.click("label[for=mode-numbers]")
    visitor.until("Number(document.querySelector('#numbers').dataset.motions) > 3")
    assert visitor.page.is_visible("#numbers")
    visitor.page.click("label[for=mode-video]")
    visitor.until_live()
    assert [guest.offer["video"] for guest in mock.guests] == [True, False, True]
    assert not mock.guests[-1].wants_motion
    assert visitor.page.is_hidden("#numbers")
    visitor.page.click("#stop")
    visitor.page.click("#perform")
    assert visitor.page.is_hidden("#modes")


def test_figures(visit, mock):
    visitor = visit().perform()
    visitor.page.click("#figures-fold summary")
    visitor.until("document.querySelector('[data-figure=track]').textContent === '14.2 ms'")
    visitor.until("/^\\d+ ms$/.test(document.querySelector('[data-figure=rtt]').textContent)")
    visitor.until("document.querySelector('[data-figure=size]').textContent === '320 × 240'")


def test_a_recording_can_be_saved_three_ways(visit, mock):
    mock.token = "secret"
    visitor = visit().perform("/r/studio#token=secret")
    visitor.page.click("#record")
    visitor.until(lambda: mock.guests[0].said("record"))
    visitor.until("document.querySelector('#record-text').textContent === '0:01'")
    visitor.page.click("#record")
    starts = {"take": b"PK", "table": b"Timecode", "video": b"\x1aE\xdf\xa3"}
    endings = {"take": ".npz", "table": ".csv", "video": ".webm"}
    for kind, start in starts.items():
        visitor.page.wait_for_selector(f"[data-save={kind}]")
        with visitor.page.expect_download() as waiting:
            visitor.page.click(f"[data-save={kind}]")
        name = waiting.value.suggested_filename
        assert name.startswith("studio-")
        assert name.endswith(endings[kind])
        with open(waiting.value.path(), "rb") as file:
            assert file.read(len(start)) == start
    assert [message["on"] for message in mock.guests[0].said("record")] == [True, False]


def test_a_full_server_is_waited_for(visit, mock):
    mock.refusals.append((503, {"Retry-After": "1"}))
    visitor = visit().open()
    visitor.page.click("#perform")
    text = visitor.notice("full")
    assert "Every seat is taken" in text
    assert "Next try in 1 s" in text
    visitor.until_live()


def test_a_wrong_token_is_asked_for_again(visit, mock):
    mock.token = "right"
    visitor = visit().open("/?role=watch#token=wrong")
    assert "token is not right" in visitor.notice("token-wrong")
    assert "wrong" not in visitor.page.url
    visitor.page.fill("#token", "right")
    visitor.page.keyboard.press("Enter")
    visitor.until_live()
    visitor.page.reload()
    visitor.until_live()


def test_a_lost_connection_comes_back_with_all_settings(visit, mock):
    visitor = visit().perform()
    visitor.page.fill("#smoothing", "87")
    visitor.page.click("label[for=view-mask]")
    visitor.until(lambda: mock.guests[0].settings["smoothing"] == 87 and mock.guests[0].settings["view"] == "mask")
    mock.refusals.append((503, {"Retry-After": "1"}))
    mock.cut()
    assert "Your settings are kept" in visitor.notice("lost")
    visitor.until_live()
    again = mock.guests[1]
    assert again.offer["resume"] == "s0"
    visitor.until(lambda: again.said("set"))
    assert len(again.said("set")) == 1
    sent = again.said("set")[0]
    assert sent == {
        "type": "set", "view": "mask", "rig": "human", "faces": 1, "detection": 50, "tracking": 50, "presence": 50,
        "smoothing": 87, "mirror": False,
    }  # fmt: skip
    assert visitor.page.is_hidden("#notice")


def test_a_lost_worker_is_replaced(visit, mock):
    visitor = visit().perform()
    mock.tell({"type": "state", "state": "worker-lost", "message": ""})
    visitor.notice("worker-lost")
    visitor.until(lambda: len(mock.guests) == 2)
    visitor.until_live()


def test_the_server_is_asked_what_became_of_the_session(visit, mock):
    visitor = visit().perform()
    visitor.until(lambda: mock.asked == ["s0"])
    mock.fate = "worker-lost"
    assert "Your settings are kept" in visitor.notice("worker-lost")
    mock.fate = ""
    visitor.until(lambda: len(mock.guests) == 2)
    visitor.until_live()
    visitor.until(lambda: mock.asked[-1] == "s1")


def test_a_worker_that_still_starts_is_no_full_server(visit, mock):
    mock.refusals.append((503, {"Retry-After": "1"}))
    mock.refusal = "This part of the server has died and starts again: try once more."
    visitor = visit().open()
    visitor.page.click("#perform")
    assert "another starts" in visitor.notice("worker-lost")
    visitor.until_live()


def test_a_missing_face_is_said(visit, mock):
    visitor = visit().perform()
    mock.tell({"type": "state", "state": "no-face", "message": ""})
    visitor.until("document.querySelector('#hint').textContent.startsWith('I cannot see a face')")
    mock.tell({"type": "state", "state": "face", "message": ""})
    visitor.until("document.querySelector('#hint').textContent === ''")


def test_a_refused_camera(visit, mock):
    visitor = visit(camera=False).open()
    visitor.page.click("#perform")
    assert "camera is not allowed" in visitor.notice("camera-refused")
    visitor.page.click("text=Back")
    assert visitor.page.is_visible("#perform")


def test_other_trouble_with_cameras(visit, mock):
    visitor = visit().open()
    for error, kind in [("NotReadableError", "camera-busy"), ("NotFoundError", "camera-none")]:
        visitor.page.evaluate(f"""() => {{
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{error}'));
        }}""")
        visitor.page.click("#perform")
        visitor.notice(kind)
        visitor.page.click("text=Back")


def test_an_insecure_page_says_what_to_do(visit, mock):
    visitor = visit()
    visitor.page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    visitor.open().page.click("#perform")
    assert "--self-signed" in visitor.notice("insecure")
    visitor.page.click("text=Watch instead")
    visitor.until_live()


def test_a_browser_without_webrtc(visit, mock):
    visitor = visit()
    visitor.page.add_init_script("delete window.RTCPeerConnection")
    visitor.page.goto(mock.url)
    assert "cannot do live video" in visitor.notice("no-webrtc")


def test_no_way_between_the_machines(visit, mock):
    visitor = visit()
    visitor.page.add_init_script("""(() => {
      const Real = RTCPeerConnection;
      window.RTCPeerConnection = class extends Real {
        get connectionState() { return 'failed'; }
        setRemoteDescription() {
          setTimeout(() => this.dispatchEvent(new Event('connectionstatechange')), 50);
          return Promise.resolve();
        }
      };
    })()""")
    visitor.open().page.click("#perform")
    assert "--ice-server" in visitor.notice("no-path")


def test_watching_needs_no_camera(visit, mock):
    visitor = visit(camera=False).open("/r/den?role=watch&view=mesh&rig=fox")
    visitor.until_live()
    offer = mock.guests[0].offer
    assert (offer["room"], offer["role"], offer["view"], offer["rig"]) == ("den", "watch", "mesh", "fox")
    assert visitor.page.is_hidden("#calibrate")
    assert visitor.page.is_hidden("#sliders")
    mock.performers = 0
    visitor.until("document.querySelector('#hint').textContent.startsWith('The performer has left')")
    mock.performers = 1
    visitor.until("document.querySelector('#hint').textContent === ''")
    visitor.page.click("#stop")
    visitor.until(lambda: mock.deleted == ["s0"])
    assert "role" not in visitor.page.url


def test_everything_by_keyboard(visit, mock):
    visitor = visit().open()
    keyboard = visitor.page.keyboard
    focused = "document.activeElement.id"

    def tab_to(name: str) -> None:
        for _ in range(40):
            if visitor.page.evaluate(focused) == name:
                return
            keyboard.press("Tab")
        pytest.fail(f"Tab never reaches #{name}")

    tab_to("perform")
    keyboard.press("Enter")
    visitor.until_live()
    guest = mock.guests[0]
    tab_to("view-avatar")
    keyboard.press("ArrowRight")
    visitor.until(lambda: guest.settings["view"] == "mask")
    tab_to("detection")
    keyboard.press("End")
    visitor.until(lambda: guest.settings["detection"] == 100)
    tab_to("mirror")
    keyboard.press("Space")
    visitor.until(lambda: guest.settings["mirror"])
    tab_to("stop")
    keyboard.press("Enter")
    visitor.until("document.activeElement.id === 'perform'")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out(visit, mock, size):
    visitor = visit(size=size).open()
    assert visitor.page.evaluate(OUTSIDE) == []
    visitor.page.click("#perform")
    visitor.until_live()
    if visitor.page.is_visible("#handle"):
        assert visitor.page.evaluate("document.querySelector('#drawer').inert")
        visitor.page.click("#handle")
        assert visitor.page.get_attribute("#handle", "aria-expanded") == "true"
    assert visitor.page.evaluate(OUTSIDE) == []
    shown = visitor.page.evaluate("document.querySelector('#frame').getBoundingClientRect().height")
    assert shown > 0.25 * size[1]
