/**
 * The loads, and the command lines of the load generators.
 *
 * @module
 */
import type { LoadOptions } from "./load.ts";
import { resumption } from "./resumption.ts";
import { LARGE_BYTES, LARGE_PATH } from "./servers.ts";

const HOSTS_SCRIPT = new URL("hosts.lua", import.meta.url).pathname;

const CONNECTIONS = 64;
/** Without a duration, about as many requests as one core can make in a second. */
const HANDSHAKES_PER_SECOND = 1000;
/** So many that a rate is held though none of them has more than one request at a time. */
const RATE_CONNECTIONS = 256;
/** Twice the time in which they are opened, in milliseconds. */
const RAMP_MILLISECONDS = 500;

/** Keeps connections. */
export const WRK = ["wrk", "-t1", `-c${CONNECTIONS}`, "--latency", "--timeout", "10s"];
/** Opens a connection for each request; it resumes its TLS sessions where it may. */
export const WRK_CLOSE = [...WRK, "-H", "Connection: close"];
/** Opens a connection for each request, with a new TLS session. */
export const H2LOAD_CLOSE = ["h2load", "--h1", `-c${CONNECTIONS}`, "-H", "Connection: close"];
/** Speaks HTTP/2. */
export const H2LOAD = ["h2load", "-c16", "-m10"];
/** Holds a rate. One connection is opened in each millisecond: at once, they would all send at once, too. */
export const H2LOAD_RATE = ["h2load", "--h1", `-c${RATE_CONNECTIONS}`, "-r1", "--rate-period=1ms"];

/** Small responses over connections that stay. */
export const KEEP_ALIVE: LoadOptions = {
  generator: ({ url, seconds }) => [...WRK, `-d${seconds}s`, url],
};

/** The path of {@linkcode BELOW_PATH}: rules may change what is below it. */
export const APP_PATH = "/app";

/** Small responses, of something below a path. */
export const BELOW_PATH: LoadOptions = { ...KEEP_ALIVE, path: `${APP_PATH}/index.html` };

/** Large ones. */
export const LARGE: LoadOptions = { ...KEEP_ALIVE, path: LARGE_PATH, bytes: LARGE_BYTES };

/** A TLS session for each request. */
export const HANDSHAKES: LoadOptions = {
  scheme: "https",
  // with a duration, h2load never ends when connections do
  generator: ({ url, seconds }) => [...H2LOAD_CLOSE, "-n", String(seconds * HANDSHAKES_PER_SECOND), url],
};

/** A TLS session for each request, resumed. */
export const RESUMED_HANDSHAKES: LoadOptions = {
  scheme: "https",
  generator: ({ url, seconds }) => [...WRK_CLOSE, `-d${seconds}s`, url],
  also: resumption,
};

/** Small responses over streams of HTTP/2. */
export const HTTP2: LoadOptions = {
  scheme: "https",
  generator: ({ url, seconds }) => [...H2LOAD, "-D", String(seconds), url],
};

/** Half of what Pingress can do. */
export const HALF_LOAD: LoadOptions = {
  calibration: KEEP_ALIVE,
  ramp: RAMP_MILLISECONDS,
  generator: ({ url, seconds, rate }) => [
    ...H2LOAD_RATE,
    `--rps=${rate / RATE_CONNECTIONS}`,
    ...["-n", String(Math.round(rate * (seconds + RAMP_MILLISECONDS / 1000)))],
    url,
  ],
};

/** Small responses, from one host after the other. */
export const MANY_HOSTS: LoadOptions = {
  generator: ({ url, seconds, hosts, paths }) => [
    ...[...WRK, `-d${seconds}s`, "-s", HOSTS_SCRIPT, url],
    ...["--", String(hosts), ...paths],
  ],
};
