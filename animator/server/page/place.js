// What the page's own address says: room, role, view, rig, and a token that leaves the address at once.

const TOKEN_KEY = "animator-token";
const ROLES = ["perform", "watch"];
let keptToken = "";

/** The room's name from /r/ROOM; `/` is the room `main`. */
export function roomFromPath(path = location.pathname) {
  const match = /^\/r\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path);
  return match ? match[1] : "main";
}

/** {room, role, view, rig}: role, view and rig are undefined unless the address names them. */
export function readPlace() {
  const query = new URLSearchParams(location.search);
  const role = query.get("role");
  return {
    room: roomFromPath(),
    role: ROLES.includes(role) ? role : undefined,
    view: query.get("view") ?? undefined,
    rig: query.get("rig") ?? undefined,
  };
}

/** Take `#token=...` (or `?token=...`) out of the visible address and keep it for this tab. */
export function takeToken() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const query = new URLSearchParams(location.search);
  const found = hash.get("token") ?? query.get("token");
  if (found === null) return;
  keepToken(found);
  hash.delete("token");
  query.delete("token");
  const search = query.size ? `?${query}` : "";
  const rest = hash.size ? `#${hash}` : "";
  history.replaceState(history.state, "", location.pathname + search + rest);
}

export function keepToken(value) {
  keptToken = value;
  try {
    sessionStorage.setItem(TOKEN_KEY, value);
  } catch {
    // A browser may refuse storage: the token then lasts until the page is closed.
  }
}

export function token() {
  if (keptToken) return keptToken;
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? "";
  } catch {
    return "";
  }
}

/** A link for others: it opens the room on the choice of performing or watching. */
export function linkToRoom(room) {
  const link = new URL(`/r/${encodeURIComponent(room)}`, location.origin);
  if (token()) link.hash = `token=${encodeURIComponent(token())}`;
  return link.href;
}

/** Keep the choice in the address, so that a reload comes back to it. */
export function rememberRole(role) {
  const here = new URL(location.href);
  if (role) here.searchParams.set("role", role);
  else here.searchParams.delete("role");
  history.replaceState(history.state, "", here);
}

export function goToRoom(room) {
  location.assign(`/r/${encodeURIComponent(room)}`);
}
