// The few browser globals that Emscripten's start-up code calls and V8 alone does not have.
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

globalThis.console ??= { log() {}, warn() {}, error() {} };

globalThis.URL ??= class {
  constructor(href) {
    this.href = String(href);
  }
};

globalThis.atob ??= (text) => {
  let bytes = "";
  let held = 0;
  let bits = 0;
  for (const sign of text.replace(/=+$/, "")) {
    held = ((held << 6) | ALPHABET.indexOf(sign)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += String.fromCharCode((held >> bits) & 255);
    }
  }
  return bytes;
};

globalThis.TextDecoder ??= class {
  decode(view) {
    const bytes = view instanceof Uint8Array ? view : new Uint8Array(view.buffer ?? view);
    let escaped = "";
    for (const byte of bytes) escaped += "%" + byte.toString(16).padStart(2, "0");
    return decodeURIComponent(escaped);
  }
};
