"""Expected joint loss of ELECTRA, from PyTorch. Prints the numbers in replaced-token.test.ts."""
import torch
import torch.nn.functional as F

generator = (torch.arange(2 * 4 * 6).reshape(2, 4, 6).float() * 0.7).cos() * 2
logits = (torch.arange(8).reshape(2, 4).float() * 1.1).sin() * 3
labels = torch.tensor([[-100, 3, -100, -100], [5, -100, 0, -100]])
replaced = torch.tensor([[0.0, 1, 0, 0], [0, 0, 1, 0]])
mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
mlm = F.cross_entropy(generator.reshape(-1, 6), labels.reshape(-1))
active = mask.reshape(-1) == 1
detection = F.binary_cross_entropy_with_logits(logits.reshape(-1)[active], replaced.reshape(-1)[active])
print(mlm.item(), detection.item(), (mlm + 50 * detection).item())
