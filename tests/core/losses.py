"""Expected losses and gradients of cross entropy, from PyTorch. Prints the numbers in losses.test.ts."""
import torch

torch.manual_seed(0)
logits = (torch.arange(2 * 3 * 5).reshape(2, 3, 5).float() * 1.7).sin() * 4
logits[0, 1] *= 100
labels = torch.tensor([[3, 0, -100], [-100, 4, 1]])
logits.requires_grad_(True)
loss = torch.nn.functional.cross_entropy(logits.reshape(-1, 5), labels.reshape(-1))
loss.backward()
each = torch.nn.functional.cross_entropy(logits.detach().reshape(-1, 5), labels.reshape(-1), reduction="none")
print(loss.item())
print([round(v, 6) for v in each.tolist()])
print([round(v, 7) for v in logits.grad.flatten().tolist()])
