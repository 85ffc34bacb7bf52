/**
 * What locations of ingress-nginx are made of.
 *
 * @module
 */

/** The fields that the backend gets. */
export const HEADERS = "include proxied; proxy_set_header Host $http_host;";

/** Passes requests on to the Service `web`. */
export const WEB = `${HEADERS} proxy_pass http://web;`;

/** Passes requests on to the Service `other`. */
export const OTHER = `${HEADERS} proxy_pass http://other;`;

/** What the default backend answers. */
export const NOT_FOUND = "return 404;";

/**
 * What Lua does for ssl-redirect and force-ssl-redirect, after all rewriting: no port, and no slash at the end
 * unless preserve-trailing-slash says so.
 */
export const TO_HTTPS = "if ($scheme = http) { return 308 https://$name_without_port$uri_without_slash; }";

/** What CORS says, where nothing is said of it. */
const CORS = {
  credentials: "true",
  methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS",
  headers:
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
  maxAge: "1728000",
  exposes: "",
};

/**
 * What enable-cors comes to, behind the part that says which origins are allowed. ingress-nginx has
 * more_set_headers of another module for it, which replaces what the backend says.
 */
export function nginxCors(origins: string, values: Partial<typeof CORS> = {}): string {
  const { credentials, methods, headers, maxAge, exposes } = { ...CORS, ...values };
  const fields = `
          add_header Access-Control-Allow-Origin $http_origin always;
          ${credentials === "" ? "" : `add_header Access-Control-Allow-Credentials ${credentials} always;`}
          add_header Access-Control-Allow-Methods "${methods}" always;
          add_header Access-Control-Allow-Headers "${headers}" always;
          ${exposes === "" ? "" : `add_header Access-Control-Expose-Headers "${exposes}" always;`}
          add_header Access-Control-Max-Age ${maxAge} always;`;
  return `
        ${origins}
        if ($request_method = OPTIONS) { set $cors "\${cors}options"; }
        if ($cors = "true") {${fields}
        }
        if ($cors = "trueoptions") {${fields}
          return 204;
        }`;
}

/** How CORS begins where every origin is allowed. */
export const ALL_ORIGINS = `set $http_origin *; set $cors "true";`;
