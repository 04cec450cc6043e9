// Everything that can go wrong, in a person's words: what happened, and what to do about it.
// `again`: the page offers to try again. `retries`: it tries again by itself. `watch`: it offers to look on instead.

export const PROBLEMS = {
  "no-webrtc": {
    title: "This browser cannot do live video",
    text: "It has no WebRTC, which carries the puppet to you.",
    remedy: "Open this page in a current Firefox, Chrome, Edge or Safari.",
  },
  insecure: {
    icon: "lock",
    title: "The camera needs a secure page",
    text: "Browsers open a camera only on https, or on the machine itself at localhost. You can watch from here, not perform.",
    remedy: "Start the server with --self-signed, then open this page by https://",
    watch: true,
  },
  "camera-refused": {
    icon: "camera",
    title: "The camera is not allowed",
    text: "Your browser has been told not to give this page the camera.",
    remedy: "Allow the camera by the symbol beside the address, then try again.",
    again: true,
  },
  "camera-busy": {
    icon: "camera",
    title: "The camera is in use",
    text: "Another program holds the camera, or it stopped answering.",
    remedy: "Close the other program (a call, perhaps), or choose another camera, then try again.",
    again: true,
  },
  "camera-none": {
    icon: "camera",
    title: "I cannot find a camera",
    text: "This device shows no camera to the browser.",
    remedy: "Plug one in and try again. To look on, choose Watch: that needs no camera.",
    again: true,
    watch: true,
  },
  "camera-gone": {
    icon: "camera",
    title: "The camera stopped",
    text: "It was unplugged, or another program took it.",
    remedy: "Plug it in again, or choose another camera.",
    again: true,
  },
  token: {
    icon: "lock",
    title: "This server asks for a token",
    text: "Whoever started the server has it, usually as part of a link.",
    remedy: "",
    token: true,
  },
  "token-wrong": {
    icon: "lock",
    title: "That token is not right",
    text: "The server does not know it. It may have been started anew since the link was made.",
    remedy: "",
    token: true,
  },
  full: {
    icon: "people",
    title: "Every seat is taken",
    text: "The server has as many sessions as it can serve well.",
    remedy: "Stay here: I knock again by myself.",
    retries: true,
  },
  rate: {
    icon: "people",
    title: "A little too fast",
    text: "The server has had many requests from here in a short time.",
    remedy: "Stay here: I ask again by myself.",
    retries: true,
  },
  room: {
    title: "There is no room of that name",
    text: "Names of rooms have letters, digits, - and _, 64 at the most.",
    remedy: "Choose another name.",
  },
  origin: {
    icon: "lock",
    title: "The server does not accept this address",
    text: "It only answers pages from addresses that it knows.",
    remedy: "Open the page by the address that the server printed when it started.",
  },
  refused: {
    title: "The server did not accept the request",
    text: "Page and server may be of different versions.",
    remedy: "Reload the page, and try again.",
    again: true,
  },
  unreachable: {
    icon: "plug",
    title: "The server does not answer",
    text: "It may be starting, or this device is off the network.",
    remedy: "I keep trying by myself.",
    retries: true,
  },
  lost: {
    icon: "plug",
    title: "The connection broke",
    text: "Your settings are kept.",
    remedy: "I am connecting again by myself.",
    retries: true,
  },
  "worker-lost": {
    icon: "plug",
    title: "The server dropped the puppet",
    text: "The process that drew it has ended, and another starts. Your settings are kept.",
    remedy: "I am connecting again by myself.",
    retries: true,
  },
  "no-path": {
    icon: "plug",
    title: "The two machines find no way to each other",
    text: "The page came through, but the video did not: a firewall or a router stands between this device and the server.",
    remedy: "A TURN server helps: start animator serve with --ice-server turn:... Being on the same network helps too.",
    again: true,
  },
};

/** Sentences for what the server reports while the picture goes on. */
export const HINTS = {
  "no-face": "I cannot see a face: come closer, face the light",
  "no-face-watching": "The performer is out of sight of the camera",
  calibrating: "Hold still…",
  "performer-left": "The performer has left. I wait here for the next one.",
  "own-avatar": "A performer wears an avatar of their own: Video shows it",
  overloaded: "The server is busy: the picture may stutter",
};
