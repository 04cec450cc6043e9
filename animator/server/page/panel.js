// The controls: views, rigs, camera, mirror, sliders. They write Settings and show what Settings say.

import { byId, icon, make, write } from "./dom.js";

const VIEW_TITLES = { avatar: "Avatar", mask: "Mask", mesh: "Mesh", "side-by-side": "Side by side" };
const SLIDERS = [
  { key: "faces", title: "Faces", min: 1, max: 8, about: "How many people to follow" },
  { key: "detection", title: "Detection confidence", about: "Higher: surer that it is a face" },
  { key: "tracking", title: "Tracking confidence", about: "Higher: lets go sooner and looks anew" },
  { key: "presence", title: "Presence confidence", about: "Higher: hides the puppet sooner" },
  { key: "smoothing", title: "Smoothing", about: "Higher: calmer, a little later" },
];

/** Build the controls and tie them to `settings`. */
export function buildPanel(config, settings) {
  const views = choices("views", "view", (config.views ?? []).map((name) => ({ name, title: VIEW_TITLES[name] ?? name })));
  const rigs = choices("rigs", "rig", config.rigs ?? []);
  byId("rigs").hidden = (config.rigs ?? []).length === 0;
  const sliders = new Map(SLIDERS.map((slider) => [slider.key, addSlider(slider, settings)]));
  const mirror = byId("mirror");
  mirror.addEventListener("change", () => settings.choose("mirror", mirror.checked));
  views.addEventListener("change", (event) => settings.choose("view", event.target.value));
  rigs.addEventListener("change", (event) => settings.choose("rig", event.target.value));

  const show = (key, value) => {
    if (key === "view") check(views, value);
    else if (key === "rig") check(rigs, value);
    else if (key === "mirror") mirror.checked = value;
    else sliders.get(key)?.(value);
  };
  settings.addEventListener("change", (event) => show(event.detail.key, event.detail.value));
  for (const [key, value] of Object.entries(settings.all())) show(key, value);
  showCameras([], "");
}

/** A row of radio buttons: arrow keys, focus and screen readers come with them. */
function choices(id, name, entries) {
  const field = byId(id);
  for (const entry of entries) {
    const input = make("input", { type: "radio", name, value: entry.name, id: `${name}-${entry.name}` });
    const label = make("label", { for: input.id });
    if (entry.picture) label.append(picture(entry.picture), make("span", {}, entry.title ?? entry.name));
    else label.append(entry.title ?? entry.name);
    field.append(input, label);
  }
  return field;
}

function picture(url) {
  const image = make("img", { src: url, alt: "", width: 96, height: 96, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(make("i", { class: "no-picture" }, icon("puppet"))));
  return image;
}

function check(field, value) {
  for (const input of field.querySelectorAll("input")) input.checked = input.value === value;
}

function addSlider({ key, title, about, min = 0, max = 100 }, settings) {
  const input = make("input", { type: "range", id: key, min, max, step: 1, "aria-describedby": `${key}-about` });
  const output = make("output", { for: key });
  byId("sliders").append(make(
    "div", { class: "slider" },
    make("label", { for: key }, title), output, input, make("small", { id: `${key}-about` }, about),
  ));
  const show = (value) => {
    if (input.valueAsNumber !== value) input.value = String(value);
    input.style.setProperty("--share", String((value - min) / (max - min)));
    write(output, String(value));
  };
  input.addEventListener("input", () => {
    settings.choose(key, input.valueAsNumber);
    show(input.valueAsNumber);
  });
  return show;
}

/** The list of cameras; hidden labels come to light once the camera was allowed. */
export function showCameras(cameras, chosenId) {
  const select = byId("camera");
  const options = cameras.length ? cameras : [{ id: "", label: "The camera" }];
  select.replaceChildren(...options.map(({ id, label }) => make("option", { value: id, selected: id === chosenId }, label)));
  select.disabled = cameras.length < 2;
}

/** On narrow screens the panel is a sheet at the foot of the page: a handle opens and closes its drawer. */
export function buildSheet() {
  const panel = byId("panel");
  const handle = byId("handle");
  const drawer = byId("drawer");
  const narrow = matchMedia("(max-width: 899px) and (max-aspect-ratio: 13/10)");
  let isOpen = false;
  const place = (open) => {
    isOpen = open;
    panel.toggleAttribute("data-open", open);
    handle.setAttribute("aria-expanded", String(open));
    write(handle.querySelector("span"), open ? "Fewer controls" : "More controls");
    drawer.inert = narrow.matches && !open;
  };
  let startY = null;
  let didDrag = false;
  handle.addEventListener("pointerdown", (event) => {
    startY = event.clientY;
    didDrag = false;
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", (event) => {
    if (startY === null || Math.abs(event.clientY - startY) < 24) return;
    didDrag = true;
    place(event.clientY < startY);
  });
  handle.addEventListener("pointerup", () => (startY = null));
  handle.addEventListener("pointercancel", () => (startY = null));
  handle.addEventListener("click", () => (didDrag ? (didDrag = false) : place(!isOpen)));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !narrow.matches || !isOpen) return;
    place(false);
    handle.focus();
  });
  narrow.addEventListener("change", () => place(isOpen));
  place(false);
}
