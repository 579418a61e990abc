"""Seconds that PyTorch takes for what the kernels do, as one JSON object on standard output.

Of each rival either {"seconds": …} or {"not_run": why}. scripts/gpu-check runs it; `--device cpu` shows that it
works where there is no GPU, and measures nothing of interest.
"""
import argparse
import json
import math
import statistics
import time


def seconds_of(torch, device, run):
    """Median over rounds of the seconds a run takes, many runs a round."""

    def one_round(runs):
        if device.type == "cuda":
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            for _ in range(runs):
                run()
            end.record()
            torch.cuda.synchronize()
            return begin.elapsed_time(end) * 1e-3 / runs
        started = time.perf_counter()
        for _ in range(runs):
            run()
        return (time.perf_counter() - started) / runs

    one_round(3)
    runs = min(2000, max(1, int(0.02 / max(one_round(1), 1e-7))))
    return statistics.median(one_round(runs) for _ in range(11))


def warp_faces_64(torch, device):
    """Colour conversion of a 1080p NV12 frame and grid_sample of 64 faces of about 96 pixels."""
    functional = torch.nn.functional
    side, width, height = 48, 1920, 1080
    luma = torch.randint(256, (1, 1, height, width), dtype=torch.uint8, device=device)
    chroma = torch.randint(256, (1, height // 2, width // 2, 2), dtype=torch.uint8, device=device)
    theta = torch.zeros(64, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1] = 2 * side / width, 2 * side / height
    theta[:, :, 2] = torch.rand(64, 2, device=device) * 1.8 - 0.9
    to_rgb = torch.tensor(
        [[1.0, 0.0, 1.403], [1.0, -0.344, -0.714], [1.0, 1.773, 0.0]], device=device
    )

    def run():
        both = functional.interpolate(
            chroma.permute(0, 3, 1, 2).float() - 128,
            scale_factor=2,
            mode="bilinear",
            align_corners=False,
        )
        yuv = torch.cat([luma.float(), both], 1)
        rgb = torch.einsum("rc,nchw->nrhw", to_rgb, yuv).clamp(0, 255)
        grid = functional.affine_grid(theta, (64, 3, side, side), align_corners=False)
        faces = functional.grid_sample(
            rgb.expand(64, -1, -1, -1), grid, padding_mode="border", align_corners=False
        )
        return (faces / 255 - 0.5) / 0.25

    return run


def augment_512(torch, device):
    """A weak and a strong view of each of 512 grey faces by torchvision v2, each drawn by itself."""
    from torchvision.transforms import v2  # pylint: disable=import-outside-toplevel

    faces = torch.randint(256, (512, 1, 48, 48), dtype=torch.uint8, device=device)
    weak = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomAffine(0, translate=(0.06, 0.06))])
    strong = v2.Compose([weak, v2.RandAugment(num_ops=2)])
    finish = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.25])])

    def run():
        return (
            finish(torch.stack([weak(face) for face in faces])),
            finish(torch.stack([strong(face) for face in faces])),
        )

    return run


def pseudo_label_step(torch, device, compiled):
    """4096 x 8 rows by the thresholds `dta` and the negatives `snl`, with the gradient by autograd."""
    functional = torch.nn.functional
    rows, labelled, classes = 4096, 512, 8
    teacher = torch.randn(rows, classes, device=device) * 3
    known = torch.randn(labelled, classes, device=device) * 3
    labels = torch.randint(classes, (labelled,), device=device)
    student = (teacher * 0.8 + torch.randn(rows, classes, device=device)).requires_grad_()
    itself = torch.eye(classes, dtype=torch.bool, device=device)
    state = {
        "sum": torch.zeros(classes, device=device),
        "weight": torch.zeros(classes, device=device),
    }

    def loss_of(total, weight, z):
        with torch.no_grad():
            confidence, predicted = torch.softmax(known, 1).max(1)
            right = (predicted == labels).float()
            count = torch.zeros(classes, device=device).index_add(0, labels, right)
            mean = torch.zeros(classes, device=device).index_add(
                0, labels, confidence * right
            ) / count.clamp_min(1)
            kept = torch.pow(0.99, count)
            total = total * kept + (1 - kept) * mean
            weight = weight * kept + (1 - kept)
            lines = (total / weight.clamp_min(1e-12) * 0.97).clamp(0.8, 0.95)
            q, p = torch.softmax(teacher, 1), torch.softmax(z.detach(), 1)
            sure, label = q.max(1)
            accepted = sure >= lines[label]
            ordered, order = q.sort(1)
            together = torch.zeros_like(q).scatter(1, order, ordered.cumsum(1))
            chosen = (
                (together <= 0.1 + 1e-6)
                & (q < sure.unsqueeze(1))
                & (p >= 0.01)
                & ~accepted.unsqueeze(1)
            ).float()
        log_p = functional.log_softmax(z, 1).gather(1, label.unsqueeze(1)).squeeze(1)
        others = z.unsqueeze(1).expand(rows, classes, classes).masked_fill(itself, -math.inf)
        log_not = others.logsumexp(2) - z.logsumexp(1, keepdim=True)
        negative = -((log_not * chosen).sum(1) / chosen.sum(1).clamp_min(1)).mean()
        return -(log_p * accepted).mean() + 0.1 * negative, total, weight

    step = torch.compile(loss_of) if compiled else loss_of

    def run():
        student.grad = None
        loss, state["sum"], state["weight"] = step(state["sum"], state["weight"], student)
        loss.backward()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    rivals = {
        "warp_faces_64": warp_faces_64,
        "augment_512": augment_512,
        "pseudo_label_step": lambda *a: pseudo_label_step(*a, compiled=False),
        "pseudo_label_step_compiled": lambda *a: pseudo_label_step(*a, compiled=True),
    }
    result = {}
    for name, make in rivals.items():
        # One that is missing or fails is no reason to lose the others.
        try:
            import torch  # pylint: disable=import-outside-toplevel

            result["torch"] = torch.__version__
            device = torch.device(arguments.device)
            result[name] = {"seconds": seconds_of(torch, device, make(torch, device))}
        except Exception as error:  # pylint: disable=broad-except
            result[name] = {"not_run": f"{type(error).__name__}: {error}".splitlines()[0]}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
