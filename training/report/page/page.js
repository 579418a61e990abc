// Draws a page of results from the JSON that stands in it. Texts are set as text, never as HTML.
"use strict";

(() => {
  const root = document.documentElement;
  root.dataset.charts = "0";

  addEventListener("error", (event) => {
    root.dataset.fault = event.message;
    const line = document.createElement("p");
    line.className = "fault";
    line.textContent = `This page could not be drawn whole: ${event.message}`;
    document.body.prepend(line);
  });

  const data = JSON.parse(document.getElementById("data").textContent);

  // What words mean, for hovering over them.
  const GLOSSARY = {
    "accept rate": "Share of faces whose pseudo-label was trusted, and learnt from.",
    "accuracy": "Share of faces whose label is right.",
    "canary": "Labelled faces that nothing is learnt from: they show whether a model got better.",
    "candidate": "Weights that were learnt and wait to be judged on the canary.",
    "confidence": "The probability of the label that was chosen.",
    "confusion": "How often faces with one label were taken for another.",
    "dropped": "Faces that the queue had no room for.",
    "ece": "Expected calibration error: how far confidence is from how often it is right.",
    "embedding": "The numbers by which a network describes a face.",
    "epoch": "One pass over the training data.",
    "kept": "The candidate did not serve, and is learnt on from.",
    "macro recall": "Mean of the classes' recalls: rare classes count as much as common ones.",
    "negatives": "Classes that a face is taught not to be.",
    "prior correction": "How far the training data's mix of expressions is divided out.",
    "promoted": "The candidate was better, and serves from then on.",
    "pseudo-label": "What a model says of a face without a label, taken for its label.",
    "purity": "Share of trusted pseudo-labels that are right.",
    "recall": "Of the faces with this label, the share that the model named so.",
    "reliability": "How often a model is right where it says how sure it is.",
    "rolled back": "What was learnt was thrown away.",
    "serving": "The weights that label faces now.",
    "source": "The weights that learning began from.",
    "threshold": "How sure a model must be before a pseudo-label is trusted.",
    "tracklet": "A face as it is followed over some frames.",
    "unsure": "The label is not to be relied on: its probability is low, or the face is not clear.",
    "valid": "Faces with labels that are not trained on; the best epoch is chosen by them.",
  };
  const TERMS = Object.keys(GLOSSARY).sort((a, b) => b.length - a.length);
  // Of lines that are no class (Okabe and Ito, for dark paper).
  const LINES = ["#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#d0d4d8", "#4a90d9"];
  const INK = "#e8ebee", SOFT = "#9aa4ae", GRID = "#2c343c", UNSURE = "#5a646e";
  const HINT = "Drag to zoom, shift-drag to move, double-click for all. Click a name to hide it.";

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const meaning = (text) => {
    const lower = text.toLowerCase();
    return TERMS.filter((term) => lower.includes(term))
      .filter((term, i, found) => !found.some((other, j) => j < i && other.includes(term)))
      .map((term) => `${term}: ${GLOSSARY[term]}`)
      .join("\n");
  };
  /** A text that explains its words where one hovers over it. */
  const explained = (tag, text, attributes = {}) => {
    const about = meaning(text);
    if (!about) return element(tag, attributes, text);
    return element(tag, attributes, element("abbr", { title: about }, text));
  };
  const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
  const plain = (value) => String(Number(Number(value).toPrecision(5)));
  const clock = (seconds) => {
    const whole = Math.floor(seconds);
    const minutes = String(Math.floor(whole / 60) % 60).padStart(whole >= 3600 ? 2 : 1, "0");
    const rest = String(whole % 60).padStart(2, "0");
    return `${whole >= 3600 ? `${Math.floor(whole / 3600)}:` : ""}${minutes}:${rest}`;
  };
  const colourOf = (name, place) =>
    name === "unsure" ? UNSURE : data.colours[name] || LINES[place % LINES.length];

  // Charts

  /** Upright lines at the points of datasets that ask for them. */
  const upright = {
    id: "upright",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      chart.data.datasets.forEach((set, i) => {
        if (!set.upright || !chart.isDatasetVisible(i)) return;
        ctx.save();
        ctx.strokeStyle = set.borderColor;
        ctx.setLineDash([4, 3]);
        for (const { x } of set.data) {
          const at = scales.x.getPixelForValue(x);
          if (at < chartArea.left || at > chartArea.right) continue;
          ctx.beginPath();
          ctx.moveTo(at, chartArea.top);
          ctx.lineTo(at, chartArea.bottom);
          ctx.stroke();
        }
        ctx.restore();
      });
    },
  };

  /** The intervals of bars. */
  const intervals = {
    id: "intervals",
    afterDatasetsDraw(chart) {
      const { ctx, scales } = chart;
      ctx.save();
      ctx.strokeStyle = INK;
      chart.data.datasets.forEach((set, i) => {
        if (!set.intervals || !chart.isDatasetVisible(i)) return;
        chart.getDatasetMeta(i).data.forEach((bar, k) => {
          const [low, high] = set.intervals[k] || [null, null];
          if (low === null || high === null) return;
          const [from, to] = [scales.y.getPixelForValue(low), scales.y.getPixelForValue(high)];
          ctx.beginPath();
          ctx.moveTo(bar.x, from);
          ctx.lineTo(bar.x, to);
          for (const y of [from, to]) {
            ctx.moveTo(bar.x - 4, y);
            ctx.lineTo(bar.x + 4, y);
          }
          ctx.stroke();
        });
      });
      ctx.restore();
    },
  };

  /** Zooms along x: charts of the same group together. */
  const groups = new Map();
  const show = (chart, from, to) => {
    for (const other of groups.get(chart.$group) || [chart]) {
      other.options.scales.x.min = from;
      other.options.scales.x.max = to;
      other.update("none");
    }
  };
  const zoom = {
    id: "zoom",
    afterInit(chart) {
      if (!chart.options.plugins.zoom.on) return;
      const { canvas } = chart;
      const { min, max } = chart.options.scales.x;
      const inside = (x) =>
        Math.min(Math.max(x, chart.chartArea.left), chart.chartArea.right);
      const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
      const value = (x) => chart.scales.x.getValueForPixel(x);
      let drag = null;
      canvas.addEventListener("pointerdown", (event) => {
        const { chartArea } = chart;
        const y = event.clientY - canvas.getBoundingClientRect().top;
        if (event.button !== 0 || y < chartArea.top || y > chartArea.bottom) return;
        canvas.setPointerCapture(event.pointerId);
        const x = inside(place(event));
        drag = { from: x, to: x, moves: event.shiftKey };
        chart.$selected = null;
      });
      canvas.addEventListener("pointermove", (event) => {
        if (!drag) return;
        const x = inside(place(event));
        if (drag.moves) {
          const by = value(drag.to) - value(x);
          show(chart, chart.scales.x.min + by, chart.scales.x.max + by);
        } else {
          chart.$selected = [drag.from, x];
          chart.draw();
        }
        drag.to = x;
      });
      canvas.addEventListener("pointerup", () => {
        if (drag && !drag.moves && Math.abs(drag.to - drag.from) > 6)
          show(chart, value(Math.min(drag.from, drag.to)), value(Math.max(drag.from, drag.to)));
        drag = chart.$selected = null;
        chart.draw();
      });
      canvas.addEventListener("dblclick", () => show(chart, min, max));
    },
    afterDraw(chart) {
      if (!chart.$selected) return;
      const { ctx, chartArea } = chart;
      const [a, b] = chart.$selected;
      ctx.save();
      ctx.fillStyle = "rgba(86, 180, 233, .2)";
      ctx.fillRect(Math.min(a, b), chartArea.top, Math.abs(a - b), chartArea.bottom - chartArea.top);
      ctx.restore();
    },
  };
  Chart.register(upright, intervals, zoom);
  Chart.defaults.color = SOFT;
  Chart.defaults.borderColor = GRID;
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.plugins.legend.labels.boxWidth = 12;
  Chart.defaults.plugins.zoom = { on: false };
  Chart.defaults.font.family = "system-ui, sans-serif";

  /** A figure with a chart in it; the chart is drawn once the figure is in the page. */
  const figure = (title, config, { hint = "", group = null, height = 0, wide = false } = {}) => {
    const canvas = element("canvas", { role: "img", "aria-label": title });
    const holder = element("div", { class: "holder" }, canvas);
    if (height) holder.style.height = `${height}px`;
    const made = element("figure", wide ? { class: "wide" } : {});
    made.append(explained("figcaption", title), holder);
    if (hint) made.append(element("p", { class: "hint" }, hint));
    made.draw = () => {
      const chart = new Chart(canvas, config);
      chart.$group = group || chart;
      if (!groups.has(chart.$group)) groups.set(chart.$group, []);
      groups.get(chart.$group).push(chart);
      root.dataset.charts = String(Number(root.dataset.charts) + 1);
      return chart;
    };
    return made;
  };
  const axis = (shares, more = {}) => ({
    grid: { color: GRID },
    ticks: { callback: (value) => (shares ? `${plain(100 * value)} %` : plain(value)), ...more.ticks },
    ...(more.rest || {}),
  });
  const title = (text) => ({ display: Boolean(text), text });

  const lineFigure = (block, options = {}) => {
    const heights = block.series.flatMap((one) => one.points.map((at) => at[1]))
      .filter((y) => y !== null);
    const top = block.shares && !block.fit ? 1 : Math.max(...heights);
    const datasets = block.series.map((one, i) => {
      const colour = one.colour || colourOf(one.name, i);
      return {
        label: one.name,
        data: one.points.map(([x, y]) => ({ x, y: y === null ? NaN : y })),
        borderColor: colour,
        backgroundColor: colour,
        borderWidth: 1.8,
        pointRadius: one.points.length > 60 ? 0 : 2.5,
        pointHitRadius: 6,
      };
    });
    for (const marks of block.marks || []) {
      datasets.push({
        label: marks.name,
        data: marks.at.map(([x]) => ({ x, y: top })),
        why: marks.at.map((at) => at[1]),
        upright: true,
        showLine: false,
        pointStyle: "triangle",
        pointRadius: 5,
        borderColor: marks.colour,
        backgroundColor: marks.colour,
      });
    }
    const text = (value) => (block.shares ? percent(value, 2) : plain(value));
    const xText = options.time ? clock : plain;
    // A tick at each x that occurs says more than those of powers.
    const places = [...new Set(block.series.flatMap((one) => one.points.map((at) => at[0])))];
    const ticks = block.log && places.length <= 12
      ? { afterBuildTicks: (scale) => (scale.ticks = places.map((value) => ({ value }))) } : {};
    return figure(block.title, {
      type: "line",
      data: { datasets },
      options: {
        parsing: false,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        onHover: options.onHover,
        plugins: {
          zoom: { on: true },
          tooltip: {
            mode: block.series.length > 12 ? "nearest" : "x",
            itemSort: (a, b) => b.parsed.y - a.parsed.y,
            callbacks: {
              title: (items) => (items.length ? `${block.x} ${xText(items[0].parsed.x)}` : ""),
              label: ({ dataset, dataIndex, parsed }) =>
                dataset.why ? `${dataset.label}: ${dataset.why[dataIndex]}`
                            : `${dataset.label}: ${text(parsed.y)}`,
            },
          },
        },
        scales: {
          x: {
            type: block.log ? "logarithmic" : "linear",
            title: title(block.x),
            grid: { color: GRID },
            ticks: { callback: xText },
            min: block.from,
            max: block.to,
            ...ticks,
          },
          y: axis(block.shares, { rest: block.shares && !block.fit ? { min: 0, max: 1 } : {} }),
        },
      },
    }, { hint: HINT, ...options });
  };

  const barsFigure = (block) => {
    const single = block.series.length === 1;
    const colours = block.categories.map((name, i) => colourOf(name, single ? 0 : i));
    const text = (value) => (block.shares ? percent(value, 2) : plain(value));
    return figure(block.title, {
      type: "bar",
      data: {
        labels: block.categories,
        datasets: block.series.map((one, i) => ({
          label: one.name,
          data: one.values,
          intervals: one.intervals,
          backgroundColor: single ? colours : colourOf(one.name, i),
        })),
      },
      options: {
        plugins: {
          legend: { display: !single },
          tooltip: {
            callbacks: {
              label: ({ dataset, dataIndex, parsed }) => {
                const [low, high] = (dataset.intervals || [])[dataIndex] || [null, null];
                const range = low === null ? "" : ` (${text(low)} to ${text(high)})`;
                return `${dataset.label}: ${text(parsed.y)}${range}`;
              },
            },
          },
        },
        scales: {
          x: { stacked: block.stacked, grid: { display: false } },
          y: axis(block.shares, { rest: { stacked: block.stacked, beginAtZero: true } }),
        },
      },
    }, { hint: single ? "" : "Click a name to hide it." });
  };

  // Blocks of text

  const table = (block) => {
    const head = element("tr");
    for (const column of block.columns)
      head.append(explained("th", column.name, column.text ? { class: "text" } : {}));
    const made = element("table", {}, head);
    for (const row of block.rows) {
      const line = element("tr");
      row.forEach((cell, i) => {
        const classes = [block.columns[i].text ? "text" : "", cell.best ? "best" : ""];
        line.append(element("td", { class: classes.join(" ").trim() }, cell.text ?? cell));
      });
      made.append(line);
    }
    return element("div", { class: "scroll" }, made);
  };

  const confusion = (block) => {
    const head = element("tr", {}, element("th", {}, "label \\ said to be"));
    for (const label of block.labels) head.append(element("th", {}, label));
    const made = element("table", { class: "confusion" }, head);
    block.counts.forEach((row, i) => {
      const total = row.reduce((sum, count) => sum + count, 0);
      const line = element("tr", {}, element("th", {}, block.labels[i]));
      row.forEach((count, k) => {
        const share = total > 0 ? count / total : 0;
        const cell = element("td", {
          title: `${count} of ${total} faces with the label ${block.labels[i]} were said to be ` +
            block.labels[k],
        }, (100 * share).toFixed(1));
        cell.style.background = i === k ? `rgba(0, 158, 115, ${share})` : `rgba(213, 94, 0, ${share})`;
        line.append(cell);
      });
      made.append(line);
    });
    const caption = explained("figcaption", block.title);
    return element("figure", { class: "wide" }, caption, element("div", { class: "scroll" }, made));
  };

  const facts = (block) => {
    const list = element("dl", { class: "facts" });
    for (const [name, value] of block.facts)
      list.append(element("div", {}, explained("dt", name), element("dd", {}, value)));
    return list;
  };

  const strip = (pictures) => {
    const made = element("div", { class: "strip" });
    for (const { caption, jpeg } of pictures) {
      const image = element("img", { src: `data:image/jpeg;base64,${jpeg}`, alt: caption });
      made.append(element("div", {}, image, caption));
    }
    return made;
  };

  // A video that was watched: who was seen when, and what each face showed.

  /** Pieces of time in which the label stays the same, by label; -1: unsure. */
  const pieces = (person, step) => {
    const found = [];
    person.times.forEach((time, i) => {
      const last = found[found.length - 1];
      if (last && last.label === person.top[i] && time - last.to < 1.5 * step) last.to = time + step;
      else found.push({ label: person.top[i], from: time, to: time + step });
    });
    return found;
  };

  const watched = (block) => {
    const made = element("section");
    const names = block.people.map((person) => person.name);
    const sets = [...block.classes, "unsure"].map((name, k) => ({
      label: name,
      backgroundColor: colourOf(name, k),
      data: block.people.flatMap((person) =>
        pieces(person, block.step)
          .filter(({ label }) => (label < 0 ? block.classes.length : label) === k)
          .map(({ from, to }) => ({ x: [from, to], y: person.name }))),
      grouped: false,
      barPercentage: 0.85,
      categoryPercentage: 1,
      minBarLength: 1,
    })).filter((set) => set.data.length > 0);
    const [from, to] = [0, block.seconds];
    made.append(figure("Who was seen when, and what the face showed", {
      type: "bar",
      data: { labels: names, datasets: sets },
      options: {
        indexAxis: "y",
        plugins: {
          zoom: { on: true },
          tooltip: {
            callbacks: {
              label: ({ dataset, raw }) =>
                `${dataset.label}, ${clock(raw.x[0])} to ${clock(raw.x[1])}`,
            },
          },
        },
        scales: {
          x: { type: "linear", min: from, max: to, grid: { color: GRID }, ticks: { callback: clock },
               title: title("time") },
          y: { type: "category", labels: names, grid: { display: false } },
        },
      },
    }, { hint: HINT, group: block, height: 110 + 24 * names.length, wide: true }));

    const choice = element("select", { "aria-label": "person" });
    block.people.forEach((person, i) =>
      choice.append(element("option", { value: String(i) }, `${person.name}, ${person.about}`)));
    const place = element("div");
    const pictures = block.thumbnails.length ? strip(block.thumbnails) : null;
    const onHover = (event, _found, chart) => {
      if (!pictures || event.x === null) return;
      const time = chart.scales.x.getValueForPixel(event.x);
      let near = 0;
      block.thumbnails.forEach((one, i) => {
        if (Math.abs(one.time - time) < Math.abs(block.thumbnails[near].time - time)) near = i;
      });
      [...pictures.children].forEach((one, i) => one.classList.toggle("near", i === near));
      const chosen = pictures.children[near];
      pictures.scrollLeft = chosen.offsetLeft - pictures.offsetLeft - pictures.clientWidth / 2 +
        chosen.clientWidth / 2;
    };
    const draw = (person) => {
      const series = block.classes.map((name, k) => {
        const points = [];
        person.times.forEach((time, i) => {
          // Where the person was not seen there is a gap.
          if (i > 0 && time - person.times[i - 1] > 2.5 * block.step)
            points.push([person.times[i - 1] + block.step, null]);
          points.push([time, person.shares[i][k]]);
        });
        return { name, points };
      });
      return lineFigure(
        { title: `Probability of each expression: ${person.name}`, x: "time", shares: true, series,
          from, to },
        { group: block, time: true, onHover, wide: true });
    };
    let drawnBefore = null;
    const choose = () => {
      if (drawnBefore) drawnBefore.destroy();
      groups.set(block, (groups.get(block) || []).slice(0, 1));
      const drawn = draw(block.people[Number(choice.value)]);
      const before = groups.get(block)[0];
      place.replaceChildren(drawn);
      drawnBefore = drawn.draw();
      if (before) show(drawnBefore, before.options.scales.x.min, before.options.scales.x.max);
    };
    choice.addEventListener("change", choose);
    made.append(element("p", {}, "Look at ", choice), place);
    if (pictures) made.append(pictures);
    made.afterwards = choose;
    return made;
  };

  const BLOCKS = {
    heading: (block) => explained(`h${block.level}`, block.text),
    text: (block) => element("p", {}, block.text),
    warning: (block) => element("p", { class: "warning" }, block.text),
    details: (block) => element("details", {}, element("summary", {}, block.summary),
      element("pre", {}, block.text)),
    pictures: (block) => strip(block.pictures),
    table, confusion, facts, watched,
    chart: (block) => lineFigure(block),
    bars: barsFigure,
  };

  const main = element("main");
  document.body.append(main);
  let row = null;
  for (const block of data.blocks) {
    const made = BLOCKS[block.type](block);
    if (block.type === "chart" || block.type === "bars") {
      if (!row) main.append(row = element("div", { class: "charts" }));
      row.append(made);
    } else {
      row = null;
      main.append(made);
    }
    for (const one of [made, ...made.querySelectorAll("figure")]) if (one.draw) one.draw();
    if (made.afterwards) made.afterwards();
  }
  root.dataset.drawn = "yes";
})();
