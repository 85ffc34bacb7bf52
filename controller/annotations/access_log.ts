import { feature } from "./feature.ts";
import { bool } from "./values.ts";

/** What is written about requests. */
export const accessLog = feature({
  "enable-access-log": {
    parse: bool,
    help: "Are the requests in the access log? They are unless told.",
    differs: "`true` does not begin one: that is the proxy's flag --access-log.",
  },
}, (values) => values["enable-access-log"] === false ? { accessLog: false } : {});
