import { backend } from "./backend.ts";
import { connection } from "./connection.ts";
import { forwarding, forwardingTrusted } from "./forwarding.ts";
import { framing } from "./framing.ts";
import { heads } from "./heads.ts";
import { hosts } from "./hosts.ts";
import { limits } from "./limits.ts";
import { methods } from "./methods.ts";
import { noProxyProtocol, proxyProtocol } from "./proxy_protocol.ts";
import { responses } from "./responses.ts";
import { testTheme } from "./runner.ts";
import { targets } from "./targets.ts";
import { upgrade } from "./upgrade.ts";

const THEMES = [
  framing,
  heads,
  hosts,
  targets,
  methods,
  connection,
  upgrade,
  forwarding,
  forwardingTrusted,
  responses,
  backend,
  limits,
  proxyProtocol,
  noProxyProtocol,
];
for (const theme of THEMES) testTheme(theme);
