"""What is shown of a program is the same program: the law, and texts that use one thing each, the odd ones first.

Gradients rest on it: a program is shown, changed as a text, and read again.
"""

from dataclasses import fields

from indexlang.checking import checked
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program
from indexlang.ir.show import show_equation, show_program
from indexlang.reading import folded
from indexlang.text.diagnostics import ProgramError
from indexlang.text.source import Source


def typed(text: str, training: bool = False, dtype: DType = DType.F32) -> Program:
    found = checked(Source("<text>", folded(text)), {"training": True} if training else {}, dtype)
    if found.program is None:
        raise ProgramError(found.diagnostics)
    return found.program


def assert_same_when_shown(program: Program, training: bool = False) -> None:
    """Reading what is shown gives the program again: its tensors with all that is said of them, and every node."""
    text = show_program(program)
    again = typed(text, training, program.float_type)
    assert show_program(again) == text
    for old, new in zip(program.tensors, again.tensors, strict=True):
        unequal = [f.name for f in fields(old) if f.compare and getattr(old, f.name) != getattr(new, f.name)]
        assert not unequal, f"{unequal} of {old.name}"
    for old, new in zip(program.equations, again.equations, strict=True):
        assert old == new, show_equation(old)
    assert (program.outputs, program.updates) == (again.outputs, again.updates)


TEXTS = {
    "a scalar and an extent of one name": "Y = sum[y] A[y] + 0.5",
    "ranges of a left side with several indices": """
input A[5]
input t[4] : int
tensor Y[16]
for x:3, dx:4
Y[2*x+dx] += A[x]*A[dx+1]
tensor Z[9,9]
for i:2,j:3
Z[t[i]+j,i+j] += A[j]
output Y, Z
""",
    "a sum of indices over nothing": """
input A[2,0]
tensor Y[2]
Y[i+j] += A[i,j]
""",
    "choices and borders inside subscripts": """
input A[4,4]
input t[4] : int
Y[i] = A[i,(t[i] if t[i] < 2 and t[i] >= 0 else 0)+1]
Z[i] = A[i,t[i+1 else 0]]
V[i] = A[i,t[i-1 else edge]-1 else 0]
output Y, Z, V
""",
    "an empty axis in a group": """
input A[2]
Y[(i:2,j:0),k:2] = A[i]*j
Z[(i:2,j:3,k:0,l:2)] = A[i]*j
output Y,Z
""",
    "all on one element": """
input A[5]
tensor Y[3]
Y[0*i+1] += A[i]
""",
    "a product that is 0": """
input A[5]
Y[i:2] = sum[j] A[j]*0
""",
    "bernoulli": """
input X[B,3]
M[B,3] ~ bernoulli(0.3)
Y[b,i]=X[b,i]*M[b,i]
output Y, M
""",
    "uniform and normal": """
input X[4,3]
M[b:4,i:3] ~ uniform(-1,2)
N[4,3] ~ normal(0.5,2)
Y=X+M+N
output Y, M, N
""",
    "bernoulli of data": """
input X[4,3]
M[b,i] ~ bernoulli(X[b,i])
output M
""",
    "a random scalar": """
input X[4]
r ~ uniform(0,1)
Y[i]=X[i]*r
""",
    "dropout twice": """
input X[B,5,6]
Y = Dropout(X, drop 0.3)
Z = Dropout(relu(Y))
""",
    "batch norm": """
input X[B,5,6,3]
Y = BatchNorm(Conv(X, width 3, features 4))
loss = sum Y[b,x,y,j]^2
""",
    "states and trained params": """
input X[B,3]
state m[3] = 0.5
param W[3,3] ~ xavier
m[i] <- 0.9*m[i]+0.1*mean[b] X[b,i]
W[i,j] <- W[i,j] - 0.1*m[i]*m[j]
Y[b,j]=sum W[i,j]*X[b,i]
""",
    "a next value that is a tensor": """
input X[B,3]
state m[3] = 0
v[i] = mean[b] X[b,i]
m <- v
Y[b,j]=X[b,j]-m[j]
output Y
""",
    "two states that change places": """
input X[B,3]
state m[3] = 0
state n[3] = 1
m <- n
n[i] <- m[i]
Y[b,j]=X[b,j]-m[j]*n[j]
output Y
""",
    "an int state": """
state t : int = 0
input x
t <- t+1
y = x*t
""",
    "a float state that counts": """
state t = 0
input x
t <- t+1
y = x*t
""",
    "initialisers": """
input X[B,8,8,3]
param W[5,5,3,4] ~ he
param V[4,6] ~ orthogonal
param U[6,6] ~ uniform(-0.1,0.2)
param T[6,2] ~ normal(0,1e-3)
param b[4]=1/3
A[b,x,y,j]=relu(sum W[dx,dy,i,j]*X[b,x+dx,y+dy,i])
G[b,j]=mean[x,y] A[b,x,y,j]
H[b,k]=sum G[b,j]*V[j,k]
I[b,l]=sum H[b,k]*U[k,l]
O[b,m]=sum I[b,l]*T[l,m]
""",
    "joined": """
input A[B,4,2]
input C[B,4,3]
D[b,x,J1+J2] = A[b,x,J1] ; C[b,x,J2]
E = relu(D)
""",
    "joined inside a function": """
input A[B,2]
input C[B,3]
D = relu(A ; 2*C ; A)
""",
    "a dense block": """
input L_0[B,6,6,4]
for l in 0..3:
    R_{l}[B,6,6,3] = relu(Conv(L_{l}, width 3, pad 1))
    L_{l+1} = L_{l} ; R_{l}
output L_4
""",
    "borders": """
input V[9]
Eedge[x:13]=V[x-2 else edge]
Ewrap[x:13]=V[x-2 else wrap]
Emirror[x:13]=V[x-2 else mirror]
Ereflect[x:13]=V[x-2 else reflect]
Z[x:13]=V[x-2 else -inf]
U[x:13]=V[x-2 else V[0]]
output Eedge,Ewrap,Emirror,Ereflect,Z,U
""",
    "groups on both sides": """
input L[B,4,4,6]
T[(b,x,y),(dx:3,dy:3,i)] = L[b,x+dx,y+dy,i]
output T
""",
    "groups that shuffle": """
input L[2,4,6]
G[b,x,(k,g)] = L[b,x,(g:2,k)]
""",
    "gathers": """
input p[B,10]
input l[B] : int
y[b]=p[b,l[b]]
z[b]=p[b,floor(3.7*p[b,0]^2)%10]
""",
    "scatters": """
input l[B] : int
tensor H[10] : int
H[l[b]] += 1
tensor K[10]
K[l[b]] += 0.5
tensor U[12]
input a[5]
U[2*i+1] += a[i]
output H,K,U
""",
    "scatters of several terms": """
input a[5]
input c[4]
tensor U[12]
U[2*i+j] += a[i]*c[j]
U[i] += a[i]
""",
    "dtypes": """
input a[5] : u8
input b[5] : i32
input c[5] : bool
input d[5] : f64
input e[5] : f32
A[i]=a[i]+b[i]
C[i]=1 if c[i] else 0
D[i]=d[i]*e[i]
E[i]=c[i] and a[i]>2
tensor F[5] : f64
F[i]=e[i]*2
tensor G[5] : int
G[i]=floor(e[i])
output A,C,D,E,F,G
""",
    "an input with a default": """
input X[B,4,4,3] from "cat.jpg"
Y=2*X
""",
    "division of ints": """
input X[N] : int
Y[i]=X[i]//3 + X[i]%3 - (-X[i])//2
Z[i]=X[i]/4
""",
    "signs and powers": """
input X[N]
Y[i]=-X[i]^2 + (-X[i])^2 - (X[i]-1)^3 + 2^X[i] + X[i]^-2 + X[i]^0.5 - -X[i] + (X[i]^2)^X[i] - 1/(X[i]-2/3)*-3
""",
    "comparisons": """
input X[N]
Y[i]=1 if 0 < X[i] <= 2 and not (X[i]==1 or X[i] != X[i]) else (2 if X[i]>5 else 3)
""",
    "comparisons of bools": """
input X[N]
Y[i]=(X[i]>1) == (X[i]>2)
Z[i]=X[i] if (X[i] if X[i]>0 else 1) > 2 else 0
""",
    "reductions": """
input X[N,M]
Y[i]=argmax[j] X[i,j]
Z=any[i,j] (X[i,j]>0)
A[i]=all[j] (X[i,j]>0)
W[i]=logsumexp[j] X[i,j]
P=prod X[i,j]
V[i]=max[j] min[k] X[i,j]*X[k,j]
M1[i]=mean[j] X[i,j]
output Y,Z,A,W,P,V,M1
""",
    "named extents": """
input L[B,X,Y,I]
m[i]=1/(B*X*Y)*sum[b,x,y] L[b,x,y,i]
P[b,x:X//2,y:(Y+1)//2,i]=max[dx:2,dy:2] L[b,2*x+dx,2*y+dy,i else -inf]
output m,P
""",
    "extents and tensors of one name": """
input L[B,X,Y,I]
Y[b,x,y,i]=2*L[b,x,y,i]
X[i] = 1/(X*Y)*sum[b,x,y] Y[b,x,y,i]
output Y, X
""",
    "small letters as extents": """
input L[n,m]
Y[i,j]=L[i,j]*n+m
""",
    "embedding and attention": """
input t[B,7] : int
E = Embed(t, words 11, features 5)
A = Attention(E, heads 5, causal 1)
F[B,7,3]=Linear(LayerNorm(A))
output F
""",
    "cross entropy": """
input s[B,10]
input l[B] : int
loss = CrossEntropy(s,l)
""",
    "layers": """
input L[B,9,9,4]
A = Conv(L, Φ, width 3, features 8, groups 2, stride 2, pad 1)
C = ConvTranspose(A, width 3, stride 2, features 4)
D = Conv(C, width 3, groups 4, features 4)
U = Upsample(D, factor 2, bilinear 1)
V = AdaptiveAvgPool(U, rows 3, columns 2)
G = GroupNorm(V, groups 2)
S = ChannelShuffle(G, groups 2)
R = LocalResponseNorm(S, width 3)
F[B,5]=FC(R)
output F
""",
    "a stream of its own": """
input X[N]
Y[i]=X[i]+draw(3,i)
""",
    "numbers": """
input X[N]
Y[i]=X[i]*1e300+1e-300+12345678901+0.1+1/3+2.5e10
""",
    "indices as numbers": """
input A[5,4]
Y[i,j]=i*4+j+A[i,j]
Z[i:3]=i
W[i,j]=A[i,j] if i<=j else 0
output Y,W
""",
    "no rows": """
input A[0,4]
Y[j]=1/0.5*sum[i] A[i,j]
""",
    "a quotient by no rows": """
input A[X,4]
Y[j]=1/X*sum[x] A[x,j]
""",
    "quotients of extents": """
input A[6,3]
r[x]=X/Y*sum[y] A[x,y]
q=sum[x,y] X/Y*A[x,y]
s[x:6]=sum[y] A[x,y]^(X/Y)
output r,q,s
""",
    "names for a tensor": """
input A[6]
B=A
C[i]=A[i]
D[i]=B[5-i]
output B,C,D,A
""",
    "primes and marks": """
input L'[3,4]
μ̂[j]=mean[i] L'[i,j]
x̃[i,j]=L'[i,j]-μ̂[j]
""",
    "floors": """
input L[8,8,3]
H[x:16,y:16,i]=L[floor(x*8/16),floor(y*(1/2)),i]
G[x:8,y:8,i]=L[⌊x/2⌋,y//3,i]
F[x]=floor(x/3)+L[x,0,0]
output H,G,F
""",
    "nested reductions": """
input A[4,4]
Y[i]=sum[j] A[i,j]*(sum[k] A[k,i])
Z[i]=sum A[i,j]*(max A[j,k])
output Y,Z
""",
    "choices": """
input A[4]
Y[i]=where(A[i]>0,A[i],0)+clip(A[i],-1,1)+max(A[i],0,1)+min(A[i],2)
""",
    "subscripts": """
input A[4,4]
input t[4] : int
Y[i]=A[i,t[i] if t[i]<4 else 0]
Z[i:4]=A[max(i-1,0),min(i,3)]
W[i]=A[i,(t[i]+1)%4]
V[i]=A[i,t[i] else 0]
output Y,Z,W,V
""",
    "constants": """
a=0.1
n=4
c=[1,2,3]
input X[n]
Y[i]=a*X[i]+c[1]+training
""",
    "constants as numbers": """
a=0.1
n=4
c=[1,2,3]
input X[n]
Y[i]=a*X[i]+c[1]+n
output Y
""",
    "parts": """
input a[3]
input b[2]
tensor A[5]
A[i:3]=a[i]
A[3+i:2]=b[i]
B[i]=A[i]+1
output B,A
""",
    "two normalisations": """
input X[B,3]
A=BatchNorm(X)
C=BatchNorm(relu(A))
output C
""",
    "tensors of one number": """
tensor q
q = 5
state t = 0
t <- 3
input X[4]
Y[i]=X[i]*q+t
output Y,q
""",
    "a constant in a function": """
def F(L[I], a a) :
    c = a*2
    d = sum[i] L[i]*c
    return d
input X[B,4]
Y=F(X,a 3)
""",
    "an input named like an extent": """
input X[B,4]
input K
Y[b,i]=X[b,i]*B/I+K
""",
    "a transposed group": """
input X[3,4]
Y[(j,i)]=X[i,j]
Z[(j:4,i)]=X[i,j]
output Y,Z
""",
    "a pack read at a position": """
def F(L[I...],Φ,features J=?):
    param W[I,J]
    R[j]=sum W[i,j]*L[(i+1)%I]
    return R
input X[B,3,4]
Y[B,5]=F(X)
""",
    "packages inside packages": """
def G(L[I],Φ):
    param W[I,I] ~ he
    R[j]=sum W[i,j]*L[i]
    return relu(R)
def H(L[I],Φ):
    return G(G(L,Φ.A),Φ.B)
input X[B,3]
Y=H(X,Φ1)
Z=H(Y,Φ1)
V=G(G(Z))
""",
}
