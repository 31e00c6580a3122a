// What a User-Agent says in two words: a browser, and the system that it runs on.

/** The first that fits: most claim to be those below them, too. */
const BROWSERS = [
  [/\bEdg(A|iOS)?\//, "Edge"],
  [/\b(OPR|Opera|OPiOS)\//, "Opera"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/.* Safari\//, "Safari"],
];
const SYSTEMS = [
  [/\b(iPhone|iPod)\b/, "iOS"],
  [/\biPad\b/, "iPadOS"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\b(Macintosh|Mac OS X)\b/, "macOS"],
  [/\b(Linux|X11)\b/, "Linux"],
];
const MAX_CHARS = 40;

const first = (known, text) => known.find(([pattern]) => pattern.test(text))?.[1];

/**
 * `{browser, system}` of a User-Agent, where `system` may be missing. One that is unknown is `{text}`: its beginning,
 * without what cannot be seen; empty if nothing is left.
 */
export const describe = (userAgent) => {
  const browser = first(BROWSERS, userAgent);
  if (browser) return { browser, system: first(SYSTEMS, userAgent) };
  const shown = [...userAgent.replace(/\p{C}/gu, "").trim()];
  return { text: shown.length > MAX_CHARS ? `${shown.slice(0, MAX_CHARS).join("").trim()}…` : shown.join("") };
};
