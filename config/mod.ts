/**
 * The contract between controller and proxy: the one package that both import.
 *
 * @module
 */
export * from "./address.ts";
export * from "./admin.ts";
export * from "./authority.ts";
export * from "./endpoints_file.ts";
export * from "./file_watcher.ts";
export * from "./fit_regexes.ts";
export * from "./flags.ts";
export * from "./host.ts";
export * from "./htpasswd.ts";
export * from "./key_pair.ts";
export * from "./log.ts";
export * from "./metrics.ts";
export * from "./names.ts";
export * from "./parse_proxy_config.ts";
export * from "./path_regex.ts";
export * from "./paths.ts";
export * from "./proxy_config.ts";
export { MOST_STEPS } from "./regex_steps.ts";
export * from "./request_target.ts";
export * from "./revision.ts";
export * from "./rule_options.ts";
export * from "./shape.ts";
export * from "./template.ts";
export * from "./value_pattern.ts";
export * from "./version.ts";
