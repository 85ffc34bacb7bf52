import { deadlines, proxyProtocolDeadlines } from "./deadlines.ts";
import { testTheme } from "./runner.ts";

for (const theme of [deadlines, proxyProtocolDeadlines]) testTheme(theme);
