// No module: it runs before the first paint, so that a remembered theme does not flash the other one.
document.documentElement.dataset.theme = localStorage.getItem("pingress-theme") ?? "system";
