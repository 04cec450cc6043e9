"""Light for each pixel, in OpenGL's language: the lamps and the sky of `lights`, with gloss, metal and maps.

A graphics card lights every surface so. In software only those that look wrong otherwise: metal, glass, and what has
a normal map or a map of its gloss. Of what a picture of the human costs with each vertex lit (`make bench-render`,
software, 640x480) all of it costs 1.25 so, 1.57 with a normal map over every part, 1.84 with one of metal, roughness
and occlusion, too. VTK's own PBR costs 2.33 without a map, as it looks the sky up in pictures that it filters at the
start, for 1.6 s more; here the sky is a formula.

A base colour arrives in `gl_FragData[0]` after its texture; squared it is linear light, as in `lights`."""

from __future__ import annotations

import numpy as np

from ..rig import Maps, Material, Overlay
from . import sky, vtk
from .lights import PORTRAIT, WRAP
from .textures import Textures

SMOOTH = 0.15
"""Of roughness: what is smoother, as glass is, shows lamps as spots and needs every pixel. The robot's visor and eyes,
a third of its picture, cost 10 % so."""
LEAST_METAL = 0.05
LEAST_ALPHA = 0.05
"""Of GGX: a lamp is no point, and its mirrored spot no smaller than a lamp in a soft box."""
_SLOTS = {"normal": "normalTex", "surface": "materialTex", "occlusion": "coatNormalTex", "glow": "emissiveTex"}
"""VTK's names for textures that do not multiply the colour; it binds and declares these, and here they mean other."""

_DECLARED = f"""//VTK::Light::Dec
{sky.GLSL}
float pow2(float x) {{ return x * x; }}
void lamp(vec3 n, vec3 v, vec3 l, vec3 colour, float wrap, float a2, float rough, inout vec3 matt, inout vec3 spots) {{
  float nl = dot(n, l);
  vec3 h = normalize(l + v);
  float nh = max(dot(n, h), 0.0), lh = max(dot(l, h), 0.0);
  float d = nh * nh * (a2 - 1.0) + 1.0;
  matt += colour * max((nl + wrap) / (1.0 + wrap), 0.0);
  spots += colour * (max(nl, 0.0) * a2 / (4.0 * d * d * max(lh * lh, 0.1) * (rough + 0.5)));
}}
"""
_TURN = """
  vec3 acrossX = dFdx(vertexVC.xyz), acrossY = dFdy(vertexVC.xyz);
  vec2 uvX = dFdx(normalUv), uvY = dFdy(normalUv);
  vec3 sideX = cross(acrossY, normalVCVSOutput), sideY = cross(normalVCVSOutput, acrossX);
  vec3 along = sideX * uvX.x + sideY * uvY.x, upward = sideX * uvX.y + sideY * uvY.y;
  float shrink = inversesqrt(max(max(dot(along, along), dot(upward, upward)), 1e-20));
  vec3 bent = texture(normalTex, normalUv).xyz * 2.0 - 1.0;
  bent.xy *= gloss.w;
  vec3 n = normalize((along * bent.x + upward * bent.y) * shrink + normalVCVSOutput * max(bent.z, 0.05));
"""
"""Tangents from how place and texture coordinates change from pixel to pixel: they follow every morph and joint,
and a mirrored half of a face turns its own way, without a tangent being kept for any vertex."""


def needs_pixels(material: Material) -> bool:
    """Whether a material looks wrong where only vertices are lit. Toons and unlit ones are drawn in ways of theirs."""
    if material.unlit or material.toon is not None:
        return False
    return material.maps is not None or metal_of(material) > LEAST_METAL or material.roughness < SMOOTH


def metal_of(material: Material) -> float:
    """How much of a material mirrors instead of scattering: metal that is wholly rough does as chalk does.

    That is near the truth, and files that name no metallic factor are metal by glTF's rules, and rough."""
    return material.metallic * (1.0 - material.roughness**4)


def light_pixels(actor: vtk.vtkActor, material: Material, textures: Textures, least_alpha: float, solid: bool) -> None:
    """Have an actor lit so. It must have normals.

    least_alpha : pixels below it are not drawn
    solid       : those above it are, wholly"""
    actor.GetProperty().SetInterpolationToPhong()
    maps = material.maps or Maps()
    for field, slot in _SLOTS.items():
        overlay: Overlay | None = getattr(maps, field)
        if overlay is not None and (field != "occlusion" or overlay is not maps.surface):
            texture = textures.of_overlay(overlay, decoded=field == "glow")  # VTK takes no other there
            actor.GetProperty().SetTexture(slot, texture)
    shader = actor.GetShaderProperty()
    early, late = _code(maps)
    shader.AddFragmentShaderReplacement("//VTK::Light::Dec", True, _DECLARED, False)
    cut = ""
    if least_alpha > 0:
        cut = f"if (gl_FragData[0].a < {least_alpha:.4f}) discard;\n" + ("gl_FragData[0].a = 1.0;\n" if solid else "")
    shader.AddFragmentShaderReplacement("//VTK::TCoord::Impl", True, f"{early}//VTK::TCoord::Impl\n{cut}{late}", False)
    if any(overlay.uv_set for overlay in maps.overlays()):
        _pass_second_uvs(shader)
    numbers = shader.GetFragmentCustomUniforms()
    gloss = [material.metallic, material.roughness, maps.occlusion_strength, maps.normal_scale]
    numbers.SetUniform4f("gloss", gloss)
    shine(actor, material)


def shine(actor: vtk.vtkActor, material: Material) -> None:
    """Give what glows of itself, which expressions change, to an actor that is lit so."""
    glow = [channel * channel for channel in material.emissive_rgb]
    actor.GetShaderProperty().GetFragmentCustomUniforms().SetUniform3f("glow", glow)


def _code(maps: Maps) -> tuple[str, str]:
    """What is done before the base colour's texture is read, and after."""
    uvs = "".join(_uv_code(field, overlay) for field in _SLOTS if (overlay := getattr(maps, field)) is not None)
    turn = "  vec3 n = normalVCVSOutput;\n" if maps.normal is None else _TURN
    # What VTK lit is overwritten, and so never reckoned; its code stays, as contact shadows hang on it.
    early = f"{uvs}{turn}  gl_FragData[0] = vec4(diffuseColor, opacity);\n"
    rough, metal, open_sky = "gloss.y", "gloss.x", "1.0"
    reads = ""
    if maps.surface is not None:
        reads += "  vec3 said = texture(materialTex, surfaceUv).rgb;\n"
        rough, metal = "gloss.y * said.g", "gloss.x * said.b"
    if maps.occlusion is not None:
        texel = "said.r" if maps.occlusion is maps.surface else "texture(coatNormalTex, occlusionUv).r"
        open_sky = f"1.0 + gloss.z * ({texel} - 1.0)"
    shines = "glow"
    if maps.glow is not None:
        reads += "  vec3 shining = texture(emissiveTex, glowUv).rgb;\n"
        shines = "glow * shining"
    lamps = "".join(
        f"  lamp(n, v, {sky.vec3(np.array(place) / np.linalg.norm(place))}, "
        f"{sky.vec3(power * np.array(colour))}, {wrap:.3f}, a2, rough, matt, spots);\n"
        for (place, colour, power), wrap in zip(PORTRAIT, WRAP, strict=True)
    )
    late = f"""{reads}
  float rough = clamp({rough}, 0.0, 1.0), open = {open_sky};
  float ore = clamp({metal}, 0.0, 1.0);
  float metal = ore * (1.0 - rough * rough * rough * rough);
  vec3 base = gl_FragData[0].rgb * gl_FragData[0].rgb;
  vec3 v = normalize(-vertexVC.xyz);
  float nv = max(dot(n, v), 0.0);
  vec4 r = rough * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
  float edge = min(r.x * r.x, exp2(-9.28 * nv)) * r.x + r.y;
  vec2 share = vec2(-1.04, 1.04) * edge + r.zw;
  float satin = pow2(1.0 - rough * rough);
  vec3 f0 = mix(vec3(0.04 * satin), base, metal), albedo = base * (1.0 - metal);
  vec3 again = 1.0 + f0 * (1.0 / max(share.x + share.y, 0.1) - 1.0);
  vec3 sky = mirroredSky(reflect(-v, n), rough) * (open * mix(1.0 / pow2(1.0 + rough), 1.0, ore));
  float alpha = max(rough * rough, {LEAST_ALPHA}), a2 = alpha * alpha;
  vec3 matt = mattSky(n.y) * open, spots = vec3(0.0);
{lamps}  vec3 mirrored = sky * (f0 * share.x + share.y * mix(satin, 1.0, metal)) + spots * f0;
  vec3 light = min(matt, 1.0) * albedo + mirrored * again + {shines};
  gl_FragData[0].rgb = sqrt(min(light, 1.0));
"""
    return early, late


def _uv_code(field: str, overlay: Overlay) -> str:
    """Where a map is read, upwards as VTK has it."""
    source = "mapUvVSOutput" if overlay.uv_set else "tcoordVCVSOutput"
    if overlay.place == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
        return f"  vec2 {field}Uv = {source};\n"
    a, b, c, d, e, f = overlay.place
    down = f"vec2({source}.x, 1.0 - {source}.y)"
    return (
        f"  vec2 {field}Uv = vec2({c:.7g}, {f:.7g}) + mat2({a:.7g}, {d:.7g}, {b:.7g}, {e:.7g}) * {down};\n"
        f"  {field}Uv.y = 1.0 - {field}Uv.y;\n"
    )


def _pass_second_uvs(shader: vtk.vtkShaderProperty) -> None:
    """Hand a second pair of texture coordinates through, the vertex attribute `mapUv`."""
    declared, given = "//VTK::TCoord::Dec", "//VTK::TCoord::Impl"
    shader.AddVertexShaderReplacement(declared, True, f"{declared}\nin vec2 mapUv;\nout vec2 mapUvVSOutput;\n", False)
    shader.AddVertexShaderReplacement(given, True, f"{given}\nmapUvVSOutput = mapUv;\n", False)
    shader.AddFragmentShaderReplacement(declared, True, f"{declared}\nin vec2 mapUvVSOutput;\n", False)
