"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

import tensorflow as tf


class Soap(tf.keras.optimizers.Optimizer):
    """Adam, run in a slowly turning basis in which gradients are uncorrelated.

    A kernel `(..., m, n)` is a stack of matrices G. L and R are eigenbases of the
    running means of `G G^T` and `G^T G`, summed over the stack. Both moments of Adam
    are those of `L^T G R`.

    One orthogonal iteration refreshes the bases of a variable every `refresh_every`
    steps and turns its moments along. Variables take turns, so that all steps take
    the same time. Vectors and matrices with a side below `side_min` get plain Adam.

    Args:
        learning_rate: float or schedule.
        beta_1: float. Decay of the mean gradient.
        beta_2: float. Decay of the mean square and of the preconditioner.
        epsilon: float. Added to the root of the mean square.
        refresh_every: int. Steps between two refreshes of a basis.
        side_min: int. Smallest side of a matrix that gets bases.
        side_max: int. A larger side gets no basis; the other side may have one.
        **kwargs: as in every Keras optimizer, `use_ema` among them.

    References:
        Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025,
        https://arxiv.org/abs/2409.11321
    """

    def __init__(
        self,
        learning_rate=1e-3,
        beta_1: float = 0.95,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        refresh_every: int = 10,
        side_min: int = 16,
        side_max: int = 512,
        name: str = "Soap",
        **kwargs,
    ):
        # XLA on a CPU has no fast QR decomposition.
        super().__init__(name=name, **{**kwargs, "jit_compile": False})
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.refresh_every = refresh_every
        self.side_min, self.side_max = side_min, side_max

    def build(self, var_list):
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._means, self._squares, self._sides = [], [], []
        for variable in var_list:
            add = self.add_variable_from_reference
            self._means.append(add(variable, "mean"))
            self._squares.append(add(variable, "square"))
            self._sides.append(self._make_sides(variable))
        self._built = True

    def _make_sides(self, variable) -> tuple:
        """Statistics and basis of the left and of the right side, or None for each."""
        if len(variable.shape) < 2 or min(variable.shape[-2:]) < self.side_min:
            return None, None
        return tuple(
            _Side(self, variable, kind, size) if size <= self.side_max else None
            for kind, size in zip(("left", "right"), variable.shape[-2:])
        )

    def update_step(self, gradient, variable):
        index = self._index_dict[self._var_key(variable)]
        mean, square = self._means[index], self._squares[index]
        left, right = self._sides[index]
        step = tf.cast(self.iterations + 1, tf.float32)
        turned = _turn(gradient, left, right)
        mean.assign(mean + (turned - mean) * (1 - self.beta_1))
        square.assign(square + (tf.square(turned) - square) * (1 - self.beta_2))
        mean_hat = mean / (1 - tf.pow(self.beta_1, step))
        square_hat = square / (1 - tf.pow(self.beta_2, step))
        update = mean_hat / (tf.sqrt(square_hat) + self.epsilon)
        update = _turn(update, left, right, back=True)
        variable.assign_sub(tf.cast(self.learning_rate, tf.float32) * update)
        if left or right:
            self._follow(gradient, index)

    def _follow(self, gradient, index):
        """Updates the statistics, and in the variable's turn the bases."""
        left, right = self._sides[index]
        if left:
            left.add(tf.matmul(gradient, gradient, transpose_b=True), self.beta_2)
        if right:
            right.add(tf.matmul(gradient, gradient, transpose_a=True), self.beta_2)

        def refresh():
            old = [side and side.refresh() for side in (left, right)]
            mean, square = self._means[index], self._squares[index]
            mean.assign(_apply(mean, *old))
            square.assign(_apply(square, *(o if o is None else o**2 for o in old)))
            return True

        turn = (self.iterations + index) % self.refresh_every
        tf.cond(tf.equal(turn, self.refresh_every - 1), refresh, lambda: False)

    def get_config(self):
        return {
            **super().get_config(),
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "refresh_every": self.refresh_every,
            "side_min": self.side_min,
            "side_max": self.side_max,
        }


class _Side:
    """One side of a stack of matrices: its second moment and an eigenbasis of it."""

    def __init__(self, optimizer, variable, kind: str, size: int):
        add = optimizer.add_variable_from_reference
        eye = tf.eye(size)
        self.moment = add(
            variable, f"{kind}_moment", shape=(size, size), initial_value=0 * eye
        )
        self.basis = add(
            variable, f"{kind}_basis", shape=(size, size), initial_value=eye
        )

    def add(self, products, decay: float) -> None:
        size = products.shape[-1]
        total = tf.reduce_sum(tf.reshape(products, [-1, size, size]), axis=0)
        self.moment.assign(self.moment + (total - self.moment) * (1 - decay))

    def refresh(self):
        """Turns the basis; returns what takes coordinates in the old to the new."""
        scale = tf.linalg.trace(self.moment) + 1e-30
        basis, triangle = tf.linalg.qr(tf.matmul(self.moment / scale, self.basis))
        # Of the two bases that differ by signs, the one nearer to the old.
        basis *= tf.where(tf.linalg.diag_part(triangle) < 0, -1.0, 1.0)
        change = tf.matmul(basis, self.basis, transpose_a=True)
        self.basis.assign(basis)
        return change


def _turn(x, left, right, back: bool = False):
    """Coordinates in the two bases, or back from them."""
    if left:
        x = tf.matmul(left.basis, x, transpose_a=not back)
    if right:
        x = tf.matmul(x, right.basis, transpose_b=back)
    return x


def _apply(x, left, right):
    """`left x right^T`; a side that is None stays."""
    if left is not None:
        x = tf.matmul(left, x)
    if right is not None:
        x = tf.matmul(x, right, transpose_b=True)
    return x
