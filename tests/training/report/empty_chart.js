// In the place of Chart.js, for tests that look at pages without drawing them.
