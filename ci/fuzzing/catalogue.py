"""What random programs are made of: {family: templates}.  The words in braces are explained in fill.py.

A template that starts with "= " defines a new tensor; the others write to an existing one.
"""


def _each(pattern, names):
    return [pattern.replace("NAME", n) for n in names.split()]


def _split(text):
    return [" ".join(t.split()) for t in text.split(";")]


_UNARY = """
    abs neg exp expm1 log log1p log2 log10 sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh
    sigmoid erf erfc ceil floor round trunc frac sign reciprocal square lgamma digamma logit exp2 sinc isnan isinf
    isfinite signbit positive nan_to_num deg2rad relu logical_not sgn
"""
_UNARY_INPLACE = "abs neg exp sqrt rsqrt sin tanh sigmoid floor round trunc sign reciprocal square relu log1p zero nan_to_num"
_BINARY = """add sub mul div true_divide floor_divide remainder fmod atan2 maximum minimum fmax fmin hypot copysign eq ne lt
    le gt ge logical_and logical_or logical_xor heaviside xlogy logaddexp logaddexp2"""
_BINARY_INPLACE = "add sub mul div remainder fmod atan2 copysign hypot eq lt ge floor_divide"
_ACTIVATIONS = """relu gelu silu softplus elu leaky_relu hardtanh mish selu celu hardswish hardsigmoid softsign tanhshrink
    logsigmoid relu6 softshrink hardshrink"""
_LOSSES = "mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy_with_logits soft_margin_loss"

FAMILIES = {
    "unary": [
        *_each("= ct.NAME({any})", _UNARY),
        *_split("""= ct.special.i0({float}) ; = ct.erfinv({float} / 40) ; = ~{bits} ; = -{any} ; = ct.special.entr({float}) ;
            = ct.nan_to_num({float}, {number}, 3., -3.) ; = ct.clamp({any}, {number}) ; = ct.clamp({any}, max={other}) ;
            = ct.clip({float}, -1.5, 1.5) ; = {float}.round(decimals=1)"""),
    ],
    "activation": [
        *_each("= ct.nn.functional.NAME({float})", _ACTIVATIONS),
        *_split("""= ct.nn.functional.gelu({float}, approximate='tanh') ; = ct.nn.functional.threshold({float}, .5, 2.) ;
            = ct.nn.functional.glu({float}, {dim}) ; = ct.nn.functional.prelu({float}, ct.tensor(.25)) ;
            = ct.nn.functional.normalize({float}, dim={dim}) ; = ct.nn.functional.layer_norm({float}, {last})"""),
    ],
    "binary": [
        *_each("= ct.NAME({any}, {other})", _BINARY),
        *_each("= {any} NAME {other}", "+ - * / // % == < >="),
        *_each("= {number} NAME {any}", "+ - * / <"),
        *_each("= ct.NAME({bits}, {bits_other})", "bitwise_and bitwise_or bitwise_xor"),
        *_split("""= ct.add({any}, {other}, alpha=2) ; = ct.div({any}, {other}, rounding_mode='trunc') ;
            = ct.div({any}, {other}, rounding_mode='floor') ; = {any} ** 2 ; = {float} ** {number} ; = ct.pow({any}, {other}) ;
            = ct.rsub({any}, {other}) ; = ct.nextafter({float}, {same}) ; = ct.ldexp({float}, {int}) ;
            = ct.dist({float}, {other}) ; = {int} << {count} ; = {int} >> {count} ; = ct.isclose({any}, {same}) ;
            = ct.gcd({int}, {same})"""),
    ],
    "ternary": [
        *_split("""= ct.where({mask}, {any}, {other}) ; = ct.where({mask}, {any}, {number}) ; = ct.lerp({float}, {same}, .25) ;
            = ct.lerp({float}, {same}, {same}) ; = ct.addcmul({any}, {same}, {same}, value=2) ;
            = ct.addcdiv({float}, {same}, {same}) ; = {any}.masked_fill({mask}, {number}) ; = {any}.masked_select({mask}) ;
            = {any}[{full_mask}] ; = ct.where({any} > {other}, {any}, {same}) ; = {any}.masked_scatter({full_mask}, {same})"""),
    ],
    "reduction": [
        *_each("= ct.NAME({any})", "sum mean prod amax amin any all std var count_nonzero argmax argmin max min nansum"),
        *_each("= ct.NAME({any}, {dims}, keepdim={flag})", "sum mean amax amin any all nansum nanmean"),
        *_each("= ct.NAME({float}, {dims}, keepdim={flag})", "sum mean logsumexp std var amax"),
        *_each("= {any}.NAME({dim}, keepdim={flag})", "prod argmax argmin sum all"),
        *_each("= {any}.NAME({dim}, keepdim={flag}).values", "max min"),
        *_split("""= ct.norm({float}) ; = ct.norm({float}, 1, {dim}) ; = ct.linalg.vector_norm({float}, {order}, {dims}) ;
            = ct.var({float}, {dims}, correction={count}) ; = ct.std({float}, {dim}, correction=0) ;
            = {any}.sum({dims}, dtype=ct.float32) ; = ct.std_mean({float}, {dim})[1] ; = ct.aminmax({any}, dim={dim}).max ;
            = ct.softmax({float}, {dim}) ; = ct.log_softmax({float}, {dim}) ; = {distinct}.median() ;
            = {distinct}.median({dim}).values ; = ct.trace({matrix}) ; = {distinct}.kthvalue(1, {dim}).values ;
            = {distinct}.quantile(.3) ; = ct.count_nonzero({any}, {dim})"""),
    ],
    "scan": [
        *_each("= ct.NAME({any}, {dim})", "cumsum cumprod"),
        *_each("= ct.NAME({any}, {dim}).values", "cummax cummin"),
        *_each("= ct.NAME({any}, {dim}).indices", "cummax cummin"),
        *_split("""= ct.logcumsumexp({float}, {dim}) ; = ct.diff({any}, dim={dim}) ; = ct.diff({any}, 2, dim={dim}) ;
            = ct.cumulative_trapezoid({float}, dim={dim}) ; = ct.trapezoid({float}, dim={dim}) ;
            = ct.cumsum({any}, {dim}, dtype=ct.float32)"""),
    ],
    "order": [
        *_split("""= ct.sort({any}, dim={dim}, descending={flag}, stable=True).values ;
            = ct.sort({any}, dim={dim}, stable=True).indices ; = ct.argsort({any}, dim={dim}, stable=True) ;
            = ct.topk({distinct}, 1, {dim}).values ; = ct.topk({distinct}, 1, {dim}, largest=False).indices ;
            = ct.unique({any}) ; = ct.flip({any}, ({dim},)) ; = ct.roll({any}, 1, {dim}) ; = ct.roll({any}, 2) ;
            = ct.rot90({matrix}) ; = ct.tril({matrix}, {diagonal}) ; = ct.triu({matrix}, {diagonal}) ;
            = ct.searchsorted(ct.tensor([-1., 0., .5, 2.]), {float}) ; = ct.bucketize({any}, ct.tensor([-1., 0., .5, 2.])) ;
            = ct.bincount({small}) ; = ct.msort({any}) ; = ct.nonzero({any}) ; = ct.argwhere({any}) ; = ct.fliplr({matrix})"""),
    ],
    "product": [
        *_split("""= ct.matmul({numeric}, {right}) ; = {numeric} @ {right} ; = ct.matmul({left}, {numeric}) ;
            = ct.mm({matrix}, {right_matrix}) ; = ct.dot({vector}, {same}) ; = ct.outer({vector}, {vector}) ;
            = ct.mv({matrix}, {column}) ; = ct.inner({numeric}, {number}) ; = ct.einsum('ij,ij->i', {matrix}, {same}) ;
            = ct.einsum('ij,kj->ik', {matrix}, {same}) ; = ct.einsum('ij->j', {matrix}) ;
            = ct.einsum('...i,...i->...', {numeric}, {same}) ; = ct.tensordot({matrix}, {right_matrix}, 1) ;
            = ct.kron({matrix}, {small_matrix}) ; = ct.addmm({summand}, {matrix}, {right_matrix}, beta={number}, alpha=2) ;
            = ct.nn.functional.linear({float}, {weight}) ; = ct.cdist({matrix}, {same}, p=1.) ;
            = ct.einsum('ii->i', {square}) ; = ct.einsum('ii', {square}) ; = ct.linalg.multi_dot(({matrix}, {right_matrix}))"""),
    ],
    "join": [
        *_split("""= ct.cat(({any}, {same}), {dim}) ; = ct.stack(({any}, {same}), {dim}) ; = ct.cat(({any}, {cast}), {dim}) ;
            = ct.hstack(({any}, {same})) ; = ct.vstack(({any}, {same})) ; = {any}.repeat({repeats}) ;
            = {any}.repeat_interleave(2, {dim}) ; = ct.tile({any}, (2,)) ; = {any}.repeat_interleave(2) ;
            = ct.dstack(({any}, {any})) ; = ct.block_diag({matrix}, {matrix}) ; = ct.nn.functional.pad({any}, (1, 2)) ;
            = ct.nn.functional.pad({any}, (-1, 1), value=2) ; = ct.cartesian_prod({vector}, {vector}) ;
            = ct.atleast_2d({any}) ; = ct.nn.functional.pad({any}, (1, 0, 0, 1)) ; = ct.cat(({any}, {other})) ;
            = ct.meshgrid({vector}, {vector}, indexing='ij')[1]"""),
    ],
    "view": [
        *_split("""= {any}{view} ; = {any}{view} ; = {any}{view} ; = {any}{view} ; = {any}{view} ; = {any}{view} ;
            = {any}{view}{VIEW} ; = {any}{view}{VIEW} ; = {any}{view}{VIEW} ; = ct.diag({matrix}, {diagonal}) ;
            = ct.diag_embed({any}) ; = {any}.expand_as({any}) ; = ct.broadcast_to({any}, {wider}) ; = {any}.contiguous() ;
            = {any}.clone() ; = {any}.detach() ; = ct.diagflat({vector}) ; = {any}.flatten() ; = {any}.ravel() ;
            = {any}.to(ct.float32) ; = {any}.to({float_dtype}) ; = {any}.float() ; = {bounded}.to({int_dtype}) ;
            = {any}.bool() ; = {bounded}.long() ; = {any}.type_as({float}) ; = {leaf}.view({dtype}) ; = ct.zeros_like({any}) ;
            = ct.ones_like({any}) ; = ct.full_like({any}, 3) ; = {any}.new_zeros(2) ; = ct.tensor({any}.tolist()) ;
            = {any}.diagonal().clone() ; = ct.squeeze({any})"""),
    ],
    "get": [
        *_split("""= {any}[{basic}] ; = {any}[{basic}] ; = {any}[{basic}] ; = {any}[{index}] ; = {any}[{index}] ; = {any}[{index}] ;
            = {any}[{index}] ; = ct.gather({any}, {dim}, {places}) ; = ct.index_select({any}, {dim}, ct.tensor([0])) ;
            = ct.take({any}, {flat_places}) ; = ct.take_along_dim({any}, {places}, {dim}) ; = {any}[{index}]{view} ;
            = {any}[{mask_of_first}] ; = ct.nn.functional.one_hot({small}) ; = ct.nn.functional.embedding({small}, {table})"""),
    ],
    "set": [
        *_split("""{target}[{basic}] = {number} ; {target}[{basic}] = {number} ; {target}[{index}] = {number} ;
            {target}[{index}] = {number} ; {target}[{index}] = {number} ; {target}[{full_mask}] = {number} ;
            {target}[{set_index}] = {fitting} ; {target}[{set_index}] += {fitting} ; {target}[{set_basic}] = {fitting} ;
            {target}[{set_basic}] *= {fitting} ; {target}.index_fill_({dim}, ct.tensor([0]), {number}) ;
            {target}.masked_fill_({mask}, {number}) ; {target}.scatter_({dim}, {distinct_places}, {number}) ;
            {target}.scatter_add_({dim}, {places}, {like_places}) ;
            {target}.scatter_reduce_({dim}, {places}, {like_places}, 'amax') ;
            {target}.index_add_({dim}, ct.tensor([0]), {slice_of}) ; {target}.index_copy_({dim}, ct.tensor([0]), {slice_of}) ;
            {target}.index_put_({index_tuple}, {one}, accumulate=True) ;
            {target}.put_({flat_places}, {flat_values}, accumulate=True) ; {target}.masked_scatter_({full_mask}, {same}) ;
            = ct.scatter_add({any}, {dim}, {places}, {like_places}) ;
            = ct.index_add({any}, {dim}, ct.tensor([0]), {slice_of}) ; {target}.fill_diagonal_({number}) ;
            = ct.masked_fill({any}, {mask}, {number}) ; = ct.select_scatter({any}, {selected}, {dim0}, 0)"""),
    ],
    "inplace": [
        *_each("{target}.NAME_()", _UNARY_INPLACE),
        *_each("{target}.NAME_({other})", _BINARY_INPLACE),
        *_split("""{place} += {other} ; {place} -= {number} ; {place} *= {other} ; {place} /= {other} ;
            {target}.copy_({other}) ;
            {target}.fill_({number}) ; {target}.clamp_(-1, 1) ; {target}.lerp_({same}, .5) ;
            {target}.addcmul_({same}, {same}) ; {target}.zero_() ; {target}.tril_() ; {target}.cumsum_({dim}) ;
            {target}.add_({same}, alpha=3) ; {place} |= {other} ; {target}.pow_(2) ; {target}.masked_fill_({mask}, {number}) ;
            {target}.sub_({other}) ; {target}.mul_({same})"""),
    ],
    "loss": [
        *_each("= ct.nn.functional.NAME({float}, {same})", _LOSSES),
        *_split("""= ct.nn.functional.cross_entropy({matrix}, {classes}) ;
            = ct.nn.functional.cosine_similarity({float}, {same}, {dim}) ;
            = ct.nn.functional.kl_div({float}, {same}, reduction='sum') ;
            = ct.nn.functional.mse_loss({float}, {same}, reduction='none') ; = ct.nn.functional.nll_loss({matrix}, {classes}) ;
            = ct.nn.functional.poisson_nll_loss({float}, {same})"""),
    ],
}

#: how often a statement is of a family; "interleaved" is written in interleaved.py
WEIGHTS = {
    "unary": 10, "activation": 4, "binary": 14, "ternary": 6, "reduction": 12, "scan": 5, "order": 6, "product": 8,
    "join": 6, "view": 16, "get": 9, "set": 10, "inplace": 12, "loss": 3, "interleaved": 12,
}
