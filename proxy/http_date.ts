let second = -1;
let text = "";

/** The time as HTTP writes it (RFC 9110, section 5.6.7). It is written once a second, not for every message. */
export function httpDate(now = Date.now()): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    text = new Date(current * 1000).toUTCString();
  }
  return text;
}
