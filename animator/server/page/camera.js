// The camera: asking for it, listing what there is, and saying why it is not there.

const WANTED = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/** The camera cannot be had. `kind` names an entry of problems.js. */
export class CameraProblem extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const KIND_OF_ERROR = {
  NotAllowedError: "camera-refused",
  SecurityError: "camera-refused",
  NotReadableError: "camera-busy",
  AbortError: "camera-busy",
  NotFoundError: "camera-none",
  OverconstrainedError: "camera-none",
};

export class Camera extends EventTarget {
  #stream = null;

  /** The running stream, or null. */
  get stream() {
    return this.#stream;
  }

  get track() {
    return this.#stream?.getVideoTracks()[0] ?? null;
  }

  get deviceId() {
    return this.track?.getSettings().deviceId ?? "";
  }

  /** Open a camera (any, if no id is given) in place of the one before. */
  async open(deviceId = "") {
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new CameraProblem("insecure");
    const video = deviceId ? { ...WANTED, deviceId: { exact: deviceId } } : { ...WANTED, facingMode: "user" };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      if (deviceId && error.name === "OverconstrainedError") return this.open();
      throw new CameraProblem(KIND_OF_ERROR[error.name] ?? "camera-busy");
    }
    this.close();
    this.#stream = stream;
    const [track] = stream.getVideoTracks();
    if ("contentHint" in track) track.contentHint = "motion";
    track.addEventListener("ended", () => {
      if (this.track === track) this.dispatchEvent(new Event("gone"));
    });
    return stream;
  }

  close() {
    const stream = this.#stream;
    this.#stream = null;
    stream?.getTracks().forEach((track) => track.stop());
  }

  /** [{id, label}] of the cameras that the browser tells us about; labels come with the permission. */
  async list() {
    const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    return devices
      .filter((device) => device.kind === "videoinput")
      .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
  }

  /** Call back whenever a camera is plugged in or out. */
  whenChanged(callback) {
    navigator.mediaDevices?.addEventListener?.("devicechange", callback);
  }
}
