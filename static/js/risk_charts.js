/* Charts of the risk and the portfolio page. Needs ECharts; the tables beside them say the same. */
(function () {
  "use strict";

  const LIGHT = { own: "#0072B2", other: "#D55E00", band: "rgba(160,74,125,.14)", text: "#1b2430", muted: "#556070", line: "#dfe3e8", back: "#ffffff" };
  const DARK = { own: "#56B4E9", other: "#E69F6B", band: "rgba(231,163,203,.18)", text: "#e6e9ee", muted: "#a3adbb", line: "#2d3543", back: "#171c26" };

  function isDark() {
    const root = document.documentElement;
    if (root.classList.contains("dark") || root.dataset.theme === "dark") return true;
    return root.dataset.theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const percent = (value) => value == null ? "–" : (value * 100).toFixed(1) + " %";

  function frame(colours) {
    return {
      animation: false,
      textStyle: { fontFamily: window.getComputedStyle(document.body).fontFamily, color: colours.text },
      grid: { left: 62, right: 18, top: 18, bottom: 48 },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: colours.back, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 12 }, valueFormatter: percent },
    };
  }

  function axes(colours, names, labels) {
    return {
      xAxis: { type: "category", data: names, axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false }, axisLabel: Object.assign({ color: colours.muted, hideOverlap: true }, labels) },
      yAxis: { type: "value", splitLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.muted, formatter: (v) => (v * 100).toFixed(0) + " %" } },
    };
  }

  function risk(data, colours) {
    const both = axes(colours, data.symbols, { interval: 0, rotate: 45 });
    if (data.limit != null) both.yAxis.max = (found) => Math.max(found.max, data.limit * 1.1);  // the limit stays in sight
    const limit = data.limit == null ? undefined : { symbol: "none", silent: true, label: { formatter: "limit", position: "insideEndTop", color: colours.muted }, lineStyle: { type: "dashed", color: colours.muted }, data: [{ yAxis: data.limit }] };
    return Object.assign(frame(colours), both, {
      series: [
        { type: "bar", name: "weight", data: data.weights, itemStyle: { color: colours.own }, markLine: limit },
        { type: "bar", name: "money at risk", data: data.at_risk, itemStyle: { color: colours.back, borderColor: colours.other, borderWidth: 1.5 } },
      ],
    });
  }

  function equity(data, colours) {
    const band = data.band ? { silent: true, itemStyle: { color: colours.band }, label: { color: colours.muted, position: "insideTop" }, data: [[{ name: "claimed baseline", yAxis: data.band[0] }, { yAxis: data.band[1] }]] } : undefined;
    const both = axes(colours, data.days, { margin: 14 });
    if (data.band) both.yAxis.max = (found) => Math.max(found.max, data.band[1]);  // the claim stays in sight
    return Object.assign(frame(colours), both, {
      series: [
        { type: "line", name: "account", data: data.growth, showSymbol: false, lineStyle: { width: 2, color: colours.own }, itemStyle: { color: colours.own }, markArea: band },
        { type: "line", name: "SPY", data: data.market, showSymbol: false, lineStyle: { width: 1.6, type: "dashed", color: colours.other }, itemStyle: { color: colours.other } },
      ],
    });
  }

  function draw(id, option) {
    const box = document.getElementById(id);
    const source = document.getElementById(id + "-data");
    if (!box || !source || !window.echarts) return;
    const data = JSON.parse(source.textContent);
    const chart = window.echarts.init(box, null, { renderer: "svg" });
    const show = () => chart.setOption(option(data, isDark() ? DARK : LIGHT), true);
    show();
    new ResizeObserver(() => { chart.resize(); }).observe(box);
    new MutationObserver(show).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    box.dataset.drawn = "true";
  }

  document.addEventListener("DOMContentLoaded", function () {
    draw("risk-chart", risk);
    draw("equity-chart", equity);
  });
})();
